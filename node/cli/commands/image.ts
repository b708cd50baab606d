import type { Command } from 'commander'
import type { ImageBody } from '../../api/schemas/images.ts'
import { formatBytes } from '../../domain/units.ts'
import { command, contextOf, interruptible, type CommonOptions } from '../command.ts'
import { uploadImage } from '../job/image-upload.ts'
import { columns, pairs } from '../output/columns.ts'
import { plain } from '../output/plain-text.ts'
import { dateText } from '../output/words.ts'
import type { CliParts } from '../parts.ts'

interface AddOptions extends CommonOptions {
  readonly entrypoint?: readonly string[]
  readonly cmd?: readonly string[]
  readonly env?: readonly string[]
  readonly workdir?: string
  readonly arch?: string
  readonly socket?: string
}

/** `hive image`: container images as content. */
export function imageCommand(parts: CliParts): Command {
  return command({
    usage: 'image <command>',
    description: 'Add container images to the node, and name them by what is in them',
    examples: ['image add app.tar', 'image ls', 'run bafyrei… -- --help'],
  })
    .addCommand(addCommand(parts))
    .addCommand(listCommand(parts))
    .addCommand(removeCommand(parts))
}

function addCommand(parts: CliParts): Command {
  return command({
    usage: 'add <source>',
    description:
      'Add an image: a folder, an archive, docker:TAG of this machine’s engine, or a Dockerfile',
    examples: [
      'image add ./root --entrypoint /bin/app --env LANG=C',
      'image add app.tar.gz',
      'image add docker:app:latest',
      'image add ./Dockerfile',
    ],
  })
    .argument('<source>', 'folder, archive, docker:TAG or Dockerfile')
    .option(
      '--entrypoint <word>',
      'word of the entry point instead of the image’s; repeatable',
      more,
    )
    .option('--cmd <word>', 'word of the command instead of the image’s; repeatable', more)
    .option('--env <name=value>', 'environment variable of the image; repeatable', more)
    .option('--workdir <dir>', 'folder that its program starts in')
    .option('--arch <name>', 'kind of machine, amd64 or arm64 (default: this one’s)')
    .option('--socket <path>', 'socket of the Docker engine')
    .action(async (source: string, _options: AddOptions, self: Command) => {
      const options: AddOptions = self.optsWithGlobals()
      const { node, show } = contextOf(parts, options)
      using stop = interruptible(parts)
      const { signal } = stop
      const client = await node()
      const { entrypoint, cmd, env, workdir, arch, socket } = options
      const image = await parts.readImage({
        source,
        cwd: parts.cwd,
        changes: {
          ...(entrypoint !== undefined && { entrypoint }),
          ...(cmd !== undefined && { cmd }),
          ...(env !== undefined && { env }),
          ...(workdir !== undefined && { workingDir: workdir }),
        },
        ...(arch !== undefined && { architecture: arch }),
        ...(socket !== undefined && { socketPath: socket }),
        signal,
      })
      const added = await uploadImage(image, client, { signal, source })
      await show(added, () => imageLines(added))
    })
}

function listCommand(parts: CliParts): Command {
  return command({
    usage: 'ls',
    description: 'List the images that the node keeps',
    examples: ['image ls', "image ls --json | jq -r '.images[].cid'"],
  }).action(async (_options: CommonOptions, self: Command) => {
    const { node, show } = contextOf(parts, self.optsWithGlobals())
    const list = await (await node()).get<{ readonly images: readonly ImageBody[] }>('/v1/images')
    await show(list, () =>
      list.images.length === 0
        ? ['No images yet. `hive image add --help` shows how to add one.']
        : columns(
            ['CID', 'SIZE', 'LAYERS', 'ADDED', 'FROM'],
            list.images.map(({ cid, size, layers, addedAt = 0, source = '' }) => [
              cid,
              formatBytes(size),
              String(layers.length),
              dateText(addedAt),
              plain(source),
            ]),
          ),
    )
  })
}

function removeCommand(parts: CliParts): Command {
  return command({
    usage: 'rm <cid>',
    description: 'Keep an image no longer; layers that others share stay',
    examples: ['image rm bafyrei…'],
  })
    .argument('<cid>', 'CID of the image')
    .action(async (cid: string, _options: CommonOptions, self: Command) => {
      const { node, show } = contextOf(parts, self.optsWithGlobals())
      await (await node()).delete(`/v1/images/${encodeURIComponent(cid)}`)
      await show({ removed: cid }, () => [`${plain(cid)} is no longer kept`])
    })
}

function imageLines({ cid, id, size, layers }: ImageBody): readonly string[] {
  return [
    ...pairs([
      ['cid', cid],
      ['image', id],
      ['size', formatBytes(size)],
    ]),
    ...columns(
      ['LAYER', 'SIZE', 'CID'],
      layers.map((layer, at) => [String(at + 1), formatBytes(layer.size), layer.cid]),
    ),
  ]
}

function more(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
