import { defineConfig } from 'vitest/config'

const patient = { testTimeout: 120_000, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'scripts/**/*.test.ts'],
          // Nothing in these tests changes what the files share, and starting a context for each costs more than they do.
          isolate: false,
          testTimeout: 30_000
        }
      },
      // These start programs and load the machine: one file at a time.
      { test: { name: 'relay', include: ['test/relay/**/*.test.ts'], fileParallelism: false, ...patient } },
      { test: { name: 'standby', include: ['test/standby/**/*.test.ts'], fileParallelism: false, ...patient } },
      { test: { name: 'kill', include: ['test/kill/**/*.test.ts'], fileParallelism: false, ...patient } },
      { test: { name: 'damage', include: ['test/damage/**/*.test.ts'], fileParallelism: false, ...patient } },
      { test: { name: 'simulate', include: ['test/simulate/**/*.test.ts'], fileParallelism: false, ...patient } },
      { test: { name: 'power', include: ['test/power/**/*.test.ts'], fileParallelism: false, ...patient } },
      { test: { name: 'disk', include: ['test/disk/**/*.test.ts'], fileParallelism: false, ...patient } },
      { test: { name: 'health', include: ['test/health/**/*.test.ts'], fileParallelism: false, ...patient } },
      { test: { name: 'formats', include: ['test/formats/**/*.test.ts'], fileParallelism: false, ...patient } },
      { test: { name: 'page', include: ['test/page/**/*.test.ts'], fileParallelism: false, ...patient } },
      {
        test: {
          name: 'systemd',
          include: ['test/systemd/**/*.test.ts'],
          globalSetup: 'test/systemd/bundle.ts',
          fileParallelism: false,
          ...patient
        }
      },
      { test: { name: 'bench', include: ['test/bench/**/*.test.ts'], fileParallelism: false, ...patient } },
      // A whole Pi in an emulator, and before it the making of an image.
      {
        test: {
          name: 'image',
          include: ['test/image/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 7_200_000,
          hookTimeout: 3_600_000
        }
      },
      // These take long, and nothing in them depends on how fast the machine is: two at a time.
      { test: { name: 'captures', include: ['test/captures/**/*.test.ts'], maxWorkers: 2, ...patient } },
      { test: { name: 'sync', include: ['test/sync/**/*.test.ts'], maxWorkers: 2, ...patient } }
    ]
  }
})
