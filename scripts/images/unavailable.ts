/** An image that cannot be built on this machine, for want of a tool or of a network. `message` says what is missing. */
export class ImageUnavailable extends Error {
  override readonly name = 'ImageUnavailable'
}
