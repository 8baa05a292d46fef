import { testZone } from './zone.ts'

testZone('Asia/Kathmandu', ['2026-03-12', '2026-09-14'], 400)
