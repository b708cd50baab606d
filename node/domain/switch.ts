/** Whether a node does something: when it finds by itself that it should, always, or never. */
export const SWITCHES = ['auto', 'on', 'off'] as const
export type Switch = (typeof SWITCHES)[number]
