import { testZone } from './zone.ts'

testZone('America/New_York', ['2026-02-12', '2026-10-13'], 200)
