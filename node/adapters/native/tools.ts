/** Environment of the machine's own tools: nothing of this process's, which may hold secrets, and no foreign folders. */
export const TOOLS_ENV: Readonly<Record<string, string>> = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
}
