import type { Command } from 'commander'

/** A command with a program, its arguments, and all that can be said of a job on the command line. */
export function withJobOptions(command: Command): Command {
  return command
    .argument('<program>', 'module, image archive or spec file')
    .argument('[args...]', 'arguments of the program, after --; may hold {index}, {count}, {input}')
    .option(
      '--arg <text>',
      'argument of the program, before those after --; repeatable',
      repeatable,
    )
    .option('--env <name=value>', 'environment variable of the program; repeatable', repeatable)
    .option('--stdin <file>', 'file that the program reads from standard input; - for this one’s')
    .option(
      '--file <sandbox-path=file>',
      'file or folder that the program finds; repeatable',
      repeatable,
    )
    .option('--outputs <dir>', 'folder in the sandbox whose files come back')
    .option('--map <glob...>', 'one task for each file, found as /in/{input}')
    .option('--tasks <n>', 'number of tasks')
    .option('--cpu <cores>', 'cores of a task, such as 0.5')
    .option('--memory <size>', 'memory of a task, such as 512MiB')
    .option('--disk <size>', 'disk of a task')
    .option('--gpus <n>', 'GPUs of a task; images only')
    .option('--gpu-vendor <name>', 'nvidia or amd')
    .option('--gpu-memory <size>', 'memory of each GPU at least')
    .option('--allow <host:port>', 'what a task may reach; images only; repeatable', repeatable)
    .option(
      '--secret <name=source>',
      'secret of the program, from env:VARIABLE or file:PATH; repeatable',
      repeatable,
    )
    .option('--timeout <duration>', 'longest run of a task, such as 90s')
    .option('--service', 'run until stopped, paid by the second; prices are of a second')
    .option('--for <duration>', 'end a service after this time, such as 2h')
    .option('--pay-every <duration>', 'how often a service is paid, such as 10s')
    .option('--pay <unit>', 'what is paid: task, or what it uses of cpu or fuel')
    .option('--fuel <n>', 'most instructions of a task, weighted; they are counted then')
    .option('--deterministic', 'the same output and the same fuel on every machine')
    .option('--max-price <tokens>', 'most to pay for a task')
    .option('--budget <tokens>', 'most to pay for all of it, every run of every task')
    .option('--attempts <n>', 'how often a task is run before it counts as failed')
    .option(
      '--retry-on <ends>',
      'exit codes and words such as timeout,lost; repeatable',
      repeatable,
    )
    .option('--retry-delay <duration>', 'pause before the second run of a task')
    .option('--retry-factor <n>', 'how much longer each further pause is')
    .option('--retry-max-delay <duration>', 'no pause is longer')
    .option('--retry-anywhere', 'a provider that has had the task may have it again')
    .option('--queue-timeout <duration>', 'how long tasks may wait until a provider starts them')
    .option('--fetch-timeout <duration>', 'how long a provider may take to fetch what it needs')
    .option('--total-timeout <duration>', 'longest time from submission to the last result')
    .option('--priority <rank>', 'low, normal, high or 0 to 9, among the jobs of this node')
    .option('--cache', 'take results of the same deterministic job from the cache, and keep these')
    .option('--keep <policy>', 'how long results stay on the node: 7d, until-fetched or forever')
    .option('--keep-inputs <policy>', 'how long what the job was given stays')
    .option('--provider <peers>', 'the only ones to ask, each directly; repeatable', repeatable)
    .option('--attach', 'only providers that let one into a running task (hive exec, hive forward)')
    .option('--bid-window <duration>', 'how long to wait for bids')
    .option('--bids <n>', 'bids that are enough')
}

function repeatable(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value]
}
