import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { openChainEscrow } from './adapters/chain/chain-escrow.ts'
import { openHeliaBlobs } from './adapters/ipfs/helia-blobs.ts'
import { openLibp2pNet } from './adapters/libp2p/libp2p-net.ts'
import { imageArchitecture } from './adapters/image/tiny-program.ts'
import { createRegistries } from './adapters/registry/registry-client.ts'
import { createHardwareProbe } from './adapters/system/hardware-probe.ts'
import { createKeySealer } from './adapters/system/key-sealer.ts'
import { createKeySigner } from './adapters/system/key-signer.ts'
import { createMachineState } from './adapters/system/machine-state.ts'
import { systemClock } from './adapters/system/system-clock.ts'
import { openApi } from './api/server.ts'
import { providerResources } from './config/provider-resources.ts'
import { HiveError } from './domain/errors.ts'
import { readSharedKey } from './shared-key.ts'
import { gpusForJobs } from './gpus-for-jobs.ts'
import { openMeasuring } from './measuring.ts'
import { configuredServices, serviceHere, servicesHere } from './own-services.ts'
import { createEnvelopeCodec } from './protocol/envelope.ts'
import { offerTopic } from './protocol/topics.ts'
import type { Peer, PeerParts } from './peer-parts.ts'
import { openSandboxes, usableEgress } from './sandboxes.ts'
import { Adoption } from './services/adoption.ts'
import { DriftCounts } from './services/drift.ts'
import { Housekeeping } from './services/housekeeping.ts'
import { ImageBook } from './services/image-book.ts'
import { TaskRegister } from './services/monitoring/task-register.ts'
import { PriceBook } from './services/price-book.ts'
import { Presence } from './services/presence.ts'
import { AttachDesk } from './services/provider/attach-desk.ts'
import { Provider } from './services/provider/provider.ts'
import { Reconciler } from './services/reconciler.ts'
import { Attaching } from './services/requester/attaching.ts'
import { Requester } from './services/requester/requester.ts'
import { Workflows } from './services/requester/workflows.ts'
import { createSigning } from './services/signing.ts'
import { Visibility } from './services/visibility.ts'
import { Watchtower } from './services/watchtower/watchtower.ts'
import { openState } from './state.ts'
import { toldHardware } from './told-hardware.ts'

/** Starts a node: the one place where adapters meet services, read from top to bottom. */
export async function openPeer({
  dataDir,
  config,
  privateKey,
  logger,
  signal,
}: PeerParts): Promise<Peer> {
  await using stack = new AsyncDisposableStack()
  const clock = systemClock
  const { name: network, private: allowPrivateAddresses, keyFile, upnp, ...reach } = config.network
  const signer = createKeySigner(privateKey)
  await mkdir(dataDir, { recursive: true, mode: 0o700 })

  // The sandboxes that work on this machine: their engines start beside all that follows
  const services = [...configuredServices(config)]
  const ownServices = () => services
  const machine = createHardwareProbe({ workDir: dataDir })
  const gpus = gpusForJobs(machine, config.provider.resources.gpus)
  const opening = stack.use(
    openSandboxes({ config, dataDir, logger, ownServices, gpus }, signer.peer),
  )

  // State
  const { store, disk } = await openState(dataDir, logger)
  stack.use(store)

  // The chain: the truth about money
  const { rpc, id: chainId, escrow: address, confirmations, fromBlock } = config.chain
  const chain = { rpc, chainId, address, fromBlock, lane: { confirmations }, mayBeAway: true }
  const escrow = stack.use(await openChainEscrow({ clock, privateKey }, chain, signal))
  const signing = createSigning(createEnvelopeCodec({ chainId, escrow: address }), signer)

  // Peers and content; the advert check is presence's, which needs the network first
  const known: { presence?: Presence } = {}
  const net = stack.use(
    await openLibp2pNet(
      { logger, privateKey, datastoreDir: join(dataDir, 'peers') },
      {
        network,
        ...reach,
        allowPrivateAddresses,
        upnp: upnp && !allowPrivateAddresses,
        sharedKey: await readSharedKey(keyFile),
        validateAdvert: async (peer, bytes) => {
          // Until it can be checked, no stranger's advert is taken.
          if (known.presence === undefined) throw new HiveError('CANCELLED')
          known.presence.admit(bytes, peer)
        },
        selectAdvert: (adverts) => known.presence?.newest(adverts) ?? 0,
      },
    ),
  )
  services.push(...servicesHere(net.directory.addresses()))
  const blobs = stack.use(
    await openHeliaBlobs({ logger, libp2p: net.libp2p }, { blocksDir: join(dataDir, 'blocks') }),
  )

  // Who is there
  const detected = await machine.detect()
  const sandboxes = await opening.ready()
  const kinds = sandboxes.map(({ kind }) => kind)
  const { region } = config.provider
  const { resources: asked, overcommit, policy } = config.provider
  const resources = providerResources(asked, detected, overcommit)
  const jobGpus = { devices: await gpus, ...config.provider.gpu }
  const attach = policy.attach === 'on'
  const hardware = toldHardware({ detected, sandboxes, region, attach, resources, gpus: jobGpus })
  const { gossip, requests, directory, sight, reachability } = net
  const presence = stack.use(
    new Presence(
      { clock, logger: logger.child('presence'), store, directory, requests, signing },
      { network, kinds, hardware },
    ),
  )
  known.presence = presence
  const visibility = stack.use(
    new Visibility(
      {
        clock,
        logger: logger.child('visibility'),
        gossip,
        requests,
        directory,
        sight,
        presence,
        reachability,
      },
      { topics: kinds.map((kind) => offerTopic(network, kind)) },
    ),
  )

  // The two roles
  const running = new TaskRegister()
  const sealer = createKeySealer(privateKey)
  const prices = stack.use(new PriceBook({ clock, logger: logger.child('prices'), store }))
  const parts = { clock, store, gossip, requests, blobs, escrow, signing, sealer, prices }
  const requester = stack.use(
    new Requester(
      {
        ...parts,
        directory,
        logger: logger.child('requester'),
        askAdvert: async (peer, signal) => presence.ask(peer, signal),
      },
      { network, ...config.requester },
    ),
  )
  const workflows = stack.use(
    new Workflows({ clock, logger: logger.child('workflows'), store, requester }),
  )
  const provider =
    sandboxes.length === 0
      ? undefined
      : stack.use(
          new Provider(
            {
              ...parts,
              logger: logger.child('provider'),
              sandboxes,
              registries: createRegistries(
                { fetch: globalThis.fetch },
                { names: config.provider.registries, architecture: imageArchitecture() },
              ),
              running,
              machine: createMachineState({ clock }),
              disk,
            },
            {
              ...config.provider,
              network,
              policy: { ...config.provider.policy, egress: usableEgress(config, sandboxes) },
              contentBytes: config.storage.cacheBytes,
              resources,
              mostCpuMillis: detected.cores * 1000,
              gpus: jobGpus,
            },
          ),
        )
  const attaching = new Attaching({ book: requester.book, lines: requests })
  if (provider !== undefined)
    new AttachDesk(
      {
        clock,
        logger: logger.child('attach'),
        lines: requests,
        works: provider.works,
        running,
        sandboxes,
      },
      config.provider.policy,
    ).answer()
  const counts = new DriftCounts()
  const { channels, forgotten } = requester
  const money = { clock, logger: logger.child('reconciler'), store, escrow, signing }
  const earned = { channels, forgotten, earnings: provider?.earnings }
  const reconciler = stack.use(
    new Reconciler(
      { ...money, ...earned, provider, counts, adoption: new Adoption({ ...money, ...earned }) },
      { everyMs: config.chain.reconcileEveryMs },
    ),
  )

  const images = new ImageBook({ clock, store, blobs })
  const housekeeping = stack.use(
    new Housekeeping(
      {
        clock,
        logger: logger.child('housekeeping'),
        blobs,
        book: requester.book,
        works: provider?.works,
        images,
        workflows: workflows.book,
        cache: requester.cache,
      },
      config.storage,
    ),
  )
  const watchtower = stack.use(
    new Watchtower({
      ...money,
      logger: logger.child('watchtower'),
      counts,
      requester,
      ...(provider === undefined ? {} : { provider }),
    }),
  )

  // What this machine can do, and whether others can do what they say
  const measuring = stack.use(
    openMeasuring(
      { clock, logger, store, requests, presence, provider, sandboxes, running },
      { dataDir, hardware },
    ),
  )

  // Traffic, once everything that answers it is there
  await prices.start()
  await provider?.start()
  await measuring.start()
  await presence.start()
  visibility.start()
  await requester.resume()
  await workflows.resume()
  reconciler.start()
  watchtower.start()
  housekeeping.start()
  const addresses = () => directory.addresses()
  const api = stack.use(
    await openApi(
      {
        clock,
        logger: logger.child('api'),
        requester,
        workflows,
        attaching,
        ...(provider === undefined ? {} : { provider }),
        presence,
        visibility,
        capacity: measuring.capacity,
        challenger: measuring.challenger,
        monitor: measuring.monitor,
        prices,
        reconciler,
        escrow,
        blobs,
        images,
        signing,
        peerCount: () => directory.connected().length,
        addresses,
        reachability: net.reachability,
        relaying: net.relaying,
      },
      { dataDir, port: config.api.port, network, kinds },
    ),
  )
  services.push(serviceHere(api.port))
  logger.info('node is up', { peer: net.peer, address: signing.address, kinds: kinds.join(' ') })

  const opened = stack.move()
  return {
    api,
    address: signing.address,
    peer: net.peer,
    addresses: addresses(),
    kinds,
    drain: async (stop) => {
      await Promise.all([provider?.drain(config.provider.drainMs, stop), requester.drain(stop)])
    },
    [Symbol.asyncDispose]: async () => opened.disposeAsync(),
  }
}
