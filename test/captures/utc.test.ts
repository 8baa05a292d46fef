import { testZone } from './zone.ts'

testZone('Etc/UTC', ['2026-03-12', '2026-09-14'], 500)
