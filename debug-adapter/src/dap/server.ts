/**
 * The wire of the Debug Adapter Protocol: takes requests apart, hands them to one table of handlers, and answers every one of
 * them, those that nobody knows too. Knows nothing of computations. The base class gives framing and the stdio loop; its own
 * handlers, which answer success to requests that nobody implemented, are never reached.
 * Tests: test/dap/refusals.test.ts.
 */
import { DebugSession, Response } from '@vscode/debugadapter';
import type { DebugProtocol } from '@vscode/debugprotocol';
import { describeFailure, unknownRequest } from './failure.js';

/** Takes the arguments of a request and gives the body of its response. */
export type Handler = (args: unknown) => Promise<object | undefined> | object | undefined;

export class DapServer extends DebugSession {
  readonly #handlers: ReadonlyMap<string, Handler>;
  readonly #onEnd: () => void;

  constructor(handlers: (server: DapServer) => ReadonlyMap<string, Handler>, onEnd: () => void) {
    super();
    this.#onEnd = onEnd;
    this.#handlers = handlers(this);
  }

  /** The client has gone, or has said so: called by the base class when stdin closes. */
  override shutdown(): void {
    this.#onEnd();
  }

  protected override dispatchRequest(request: DebugProtocol.Request): void {
    void this.#answer(request);
  }

  async #answer(request: DebugProtocol.Request): Promise<void> {
    const response: DebugProtocol.Response = new Response(request);
    try {
      const handler = this.#handlers.get(request.command);
      if (!handler) throw unknownRequest(request.command);
      const body = await handler(request.arguments);
      if (body) response.body = body;
    } catch (error) {
      const failure = describeFailure(error);
      response.success = false;
      response.message = failure.text;
      response.body = {
        error: { id: failure.number, format: '{text}', variables: { text: failure.text }, showUser: failure.showUser },
      };
    }
    this.sendResponse(response);
    if (request.command === 'disconnect') this.shutdown();
  }
}
