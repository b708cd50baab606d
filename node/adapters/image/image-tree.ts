import { emptyFolder, layerTree, type TreeFolder } from './layer-tree.ts'
import { bytesOfLayer, type LayeredImage } from './layered-image.ts'

/**
 * What a program of the image sees: its layers one upon the other. A name of an upper layer takes the place of a lower
 * one's, except that a folder upon a folder leaves what is in both.
 * @throws HiveError IMAGE_INVALID
 */
export async function imageTree(image: LayeredImage): Promise<TreeFolder> {
  const root = emptyFolder()
  for (const layer of image.layers) lay(root, layerTree(await bytesOfLayer(layer)).root)
  return root
}

function lay(lower: TreeFolder, upper: TreeFolder): void {
  if (upper.isOpaque) lower.nodes.clear()
  for (const name of upper.deleted) lower.nodes.delete(name)
  lower.mode = upper.mode ?? lower.mode
  for (const [name, node] of upper.nodes) {
    const below = lower.nodes.get(name)
    if (node.kind === 'directory') {
      const folder = below?.kind === 'directory' ? below : emptyFolder()
      lay(folder, node)
      lower.nodes.set(name, folder)
    } else {
      lower.nodes.set(name, node)
    }
  }
}
