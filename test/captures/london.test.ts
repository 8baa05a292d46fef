import { testZone } from './zone.ts'

testZone('Europe/London', ['2026-02-20', '2026-10-06'], 100)
