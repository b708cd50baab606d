/** What the engine says when nothing prepares a container for NVIDIA's driver. */
const NO_HOOK = 'could not select device driver'

/** What has to be installed, when that is why the engine refused a container with NVIDIA's GPUs. */
export function missingHook(said: string): string | undefined {
  if (!said.includes(NO_HOOK)) return undefined
  return 'the provider’s Docker engine cannot pass them on: nvidia-container-toolkit is not installed there'
}
