/** What people are told at the end of a cycle, asked of the executor in pieces. */
import { withoutUnheard } from "./escalate/recovery.ts";
import type { ExecuteReply, ExecuteRequest, Executor } from "./execute/executor.ts";

/**
 * Many thousand problems may end in one cycle, and hardly anybody heard of them: each piece's answers that go into no
 * record are dropped before the next one is asked for. A cycle as it usually is comes in one piece, and so in one message.
 */
export const mostInPiece = 1000;

/** @returns without the ends that nobody heard of. */
export async function tell(
  executor: Pick<Executor, "execute">,
  request: ExecuteRequest,
  signal: AbortSignal,
): Promise<ExecuteReply> {
  const actions: ExecuteReply["actions"] = [];
  const notes: string[] = [];
  for (let start = 0; start === 0 || start < request.proposals.length; start += mostInPiece) {
    const proposals = request.proposals.slice(start, start + mostInPiece);
    const told = await executor.execute({ ...request, proposals }, signal);
    actions.push(...withoutUnheard(told.actions));
    notes.push(...told.notes);
  }
  return { actions, notes };
}
