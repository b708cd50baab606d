import { errorText as text, type ErrorText } from './error-text.ts'

/** What can be wrong with a job and in its sandbox: part of ERROR_CODES. */
export const JOB_ERRORS = {
  // jobs
  JOB_UNKNOWN: text(
    'No job with this id is known to this node.',
    'Use an id, or a unique start of one, from `hive jobs`.',
  ),
  JOB_OVER: text(
    'The job is over, so nothing of it can be changed.',
    'Run it again with what it should have.',
  ),
  AGREEMENT_FIXED: text(
    'What was offered or agreed cannot be changed: providers have signed for it.',
    'Wait for the shares to end, or cancel the job and run it again.',
  ),
  JOB_NOT_A_SERVICE: text(
    'Only a service can be stopped with what it has so far.',
    'Cancel any other job; its delivered tasks stay paid.',
  ),
  JOB_CANCELLED: text('The job was cancelled.', 'Run it again if this was not intended.'),
  JOB_TIMEOUT: text(
    'The job did not finish within its total time.',
    'Raise --total-timeout or split the job into more tasks; results that came in time are kept.',
  ),
  JOB_DEADLINE: text(
    'No bidder could end the tasks within the total time of the job, by when it can start and how long such tasks took there.',
    'Raise --total-timeout with `hive extend JOB`, or run the job in smaller parts.',
  ),
  JOB_BUDGET: text(
    'What is left of the job’s budget does not pay for the tasks, or for the next interval of a service.',
    'Raise it with `hive extend JOB --budget`; tasks that were paid keep their results.',
  ),
  SPENDING_LIMIT: text(
    'The share would go beyond a limit that this node has for what it spends.',
    'See `hive wallet`; wait for shares to end or for the next day (UTC), or raise requester.limits in config.yaml.',
  ),
  QUEUE_TIMEOUT: text(
    'No provider started the tasks within the time that they may wait.',
    'See `hive why JOB`; raise --queue-timeout or --max-price, or ask for less.',
  ),
  JOB_TRANSITION: text(
    'A job cannot change state in this way.',
    'This is a bug: please report it with the data below.',
  ),
  SPEC_INVALID: text(
    'The job spec has mistakes.',
    'Mend the paths listed; docs/job-spec.md describes every field.',
  ),
  SPEC_FILE_MISSING: text(
    'A file that the job names cannot be read.',
    'Check the path; it is relative to the spec file.',
  ),
  SECRET_ON_COMMAND_LINE: text(
    'A secret must come from a variable or a file: every user of the machine can read a command line, and shells keep it.',
    'Write --secret NAME=env:VARIABLE or --secret NAME=file:PATH.',
  ),
  SECRETS_UNAVAILABLE: text(
    'The secrets of the job could not be handed over.',
    'Keep the node that has the job online; the data says what was missing.',
  ),
  OUTPUT_UNWRITABLE: text(
    'An output file cannot be written.',
    'Choose another folder with --out, or fetch it later with `hive job ID --out DIR`.',
  ),
  // inside running jobs
  TASK_NOT_RUNNING: text(
    'The task does not run now.',
    'Wait until `hive job` shows its share as running; what has ended cannot be entered.',
  ),
  ATTACH_DECLINED: text(
    'The provider lets nobody into the jobs that run on its machine.',
    'Use a provider whose operator has set provider.policy.attach to on.',
  ),
  ATTACH_UNSUPPORTED: text(
    'There is no such way into this task.',
    'docs/attach.md says what can be done with which kind of job and sandbox.',
  ),
  ATTACH_DETERMINISTIC: text(
    'A deterministic job may not be touched while it runs: its result would be nobody’s to reproduce.',
    'Run it without `deterministic` to look inside.',
  ),
  ATTACH_LIMIT: text(
    'More goes in and out of the task than its provider lets through.',
    'End other connections to it; docs/limits.md lists the limits.',
  ),
  EXEC_FAILED: text(
    'The program could not be started inside the task.',
    'Check that the job’s image has it; the data below says more.',
  ),
  FORWARD_REFUSED: text(
    'Nothing inside the task takes connections on that port.',
    'Have the job listen on 127.0.0.1 or 0.0.0.0, and check the port.',
  ),
  CACHE_UNKNOWN: text(
    'The result cache has nothing of this spec.',
    'See `hive cache ls` for what it has.',
  ),
  // workflows
  STEP_SKIPPED: text(
    'The step was not run, since one that it needs did not settle.',
    'See the step that the data names; the results of the others are kept.',
  ),
  STEP_FAILED: text(
    'Tasks of the step did not end with exit code 0.',
    'See `hive job` with the id of its job; steps that need this one are skipped.',
  ),
  STEP_OUTPUT_MISSING: text(
    'A task did not leave the output that another step takes from it.',
    'Compare the path in the data with what `hive job` says that the task left.',
  ),
  STEP_TASKS: text(
    'What a step maps over does not make an array of tasks.',
    'It must be 1 to MAX_TASKS files whose names differ.',
  ),
  WORKFLOW_BUDGET: text(
    'The step could cost more than is left of the budget of its workflow.',
    'Raise the budget, or lower maxPrice, tasks or attempts of the steps.',
  ),
  WORKFLOW_FAILED: text(
    'Steps of the workflow failed or were skipped.',
    'See `hive job` with its id; each step says why.',
  ),
  // sandboxes
  SANDBOX_UNAVAILABLE: text(
    'This node has no sandbox for that kind of job.',
    'Install the engine (see docs/operations/provider.md) or pick another provider.',
  ),
  IMAGE_INVALID: text(
    'The program image cannot be run safely.',
    'Use a WASI preview 1 module or an image archive as docs/job-spec.md describes.',
  ),
  IMAGE_UNREADABLE: text(
    'The image cannot be read from where it was said to be.',
    'Give a folder, an archive, docker:TAG or a Dockerfile; the last two need a Docker engine that runs.',
  ),
  IMAGE_UNKNOWN: text(
    'No image with this CID was added to this node.',
    'See `hive image ls`; add it with `hive image add`.',
  ),
  TASK_START_FAILED: text(
    'The sandbox could not start the task.',
    'See the data below; the requester tries another provider.',
  ),
} as const satisfies Record<string, ErrorText>
