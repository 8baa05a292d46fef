import { testZone } from './zone.ts'

testZone('Australia/Lord_Howe', ['2026-03-12', '2026-09-14'], 300)
