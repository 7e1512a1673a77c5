/**
 * The events of plugins by their numbers, as native-agent/include/cairn/plugin.h has them. Imports nothing.
 * Test: test/probes/plugins.test.ts.
 */

/** enum cairn_event of plugin.h, by its numbers. */
export const eventNames: readonly string[] = [
  '',
  'presuspend',
  'precheckpoint',
  'resume',
  'restart',
  'running',
  'abort',
  'fork_child',
  'mapping_save',
  'mapping_restore',
  'descriptor_save',
  'descriptor_restore',
  'descriptor_fill',
  'started',
  'mapping_content',
  'settings',
  'external_save',
  'external_resume',
  'external_restore',
  'settings_live',
  'restart_failed',
];
