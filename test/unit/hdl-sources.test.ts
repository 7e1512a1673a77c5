/** What is taken from sources of the design for hovers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { declarationOf, moduleAt, modulesOf, modulesOfScopes, withoutComments } from '../../extension/src/hdl/sources.js';
import { inTree } from '../support/tree.js';

const verilog = `
// module none;
module leaf #(parameter N = (3 + 1)) (input clk);
  reg state; /* endmodule */
endmodule
module top;
  wire done = f(a);
  leaf #(.N((2 + 1) * 2), .S("a) b(")) first (.clk(clk));
  leaf second[1:0] (clk);
  if (done) begin : g
    leaf inner (.clk(clk));
  end
  initial begin $display("leaf quoted (x)"); end
  function automatic f(input a); f = a; endfunction
endmodule
`;

test('a place is in the module that begins before it and has not ended', () => {
  const at = (part: string): string | undefined => moduleAt(verilog, verilog.indexOf(part), false);
  assert.deepEqual([at('state'), at('done = f'), at('// module'), at('second')], ['leaf', 'top', undefined, 'top']);
  assert.equal(moduleAt(verilog, verilog.length - 1, false), undefined);
  const vhdl = '-- entity other is\nENTITY Counter IS\nend;\narchitecture rtl of Counter is\nsignal n : integer;';
  assert.equal(moduleAt(vhdl, vhdl.indexOf('signal'), true), 'counter');
});

test('comments and strings are blanks, and everything else stays where it is', () => {
  assert.equal(withoutComments('a//b\nc/*d\ne*/f"g"'), 'a   \nc   \n   f   ');
});

test('instances are found behind parameters, in arrays and in generate blocks', () => {
  const modules = modulesOf([verilog]);
  assert.deepEqual(
    [...(modules.get('top') ?? [])].filter(([, type]) => type === 'leaf').map(([name]) => name),
    ['first', 'second', 'inner'],
  );
  const scopes = ['TOP', 'TOP.top', 'TOP.top.first', 'TOP.top.second[0]', 'TOP.top.g', 'TOP.top.g.inner', 'TOP.top.other'];
  assert.deepEqual(Object.fromEntries(modulesOfScopes(scopes, modules)), {
    'TOP.top': 'top',
    'TOP.top.first': 'leaf',
    'TOP.top.second[0]': 'leaf',
    'TOP.top.g.inner': 'leaf',
  });
});

test("the sample SoC's instances are those that are in its sources", () => {
  const read = (name: string): string => readFileSync(inTree(`examples/riscv-soc/${name}`), 'utf8');
  const modules = modulesOf(
    ['rtl/soc.v', 'rtl/rv32i_core.v', 'rtl/ram.v', 'rtl/uart.v', 'rtl/timer.v', 'rtl/simctl.v', 'tb/board.v', 'tb/tb.v'].map(
      read,
    ),
  );
  assert.equal(modules.get('soc')?.get('core'), 'rv32i_core');
  assert.deepEqual([...new Set(modules.get('soc')?.values())].sort(), ['ram', 'rv32i_core', 'simctl', 'timer', 'uart']);
});

test('a signal is found where its module declares it', () => {
  const text = `// reg pc; in a comment
module other(input clk, output reg pc); reg [3:0] x; endmodule
module core #(parameter W = 32) (
  input wire clk, rst,
  output reg [W-1:0] pc
);
  reg [31:0] regs [0:31];
  wire next = pc, sum = next;
  assign out = total;
  wire zero = 0, total = 1;
  integer i, j;
  state_t state;
  assign sum2 = regs[i] + j;
endmodule`;
  const at = (name: string): string => {
    const offset = declarationOf(text, 'core', name);
    return offset === undefined ? '' : text.slice(text.lastIndexOf('\n', offset) + 1, offset + name.length + 1).trim();
  };
  assert.equal(at('pc'), 'output reg [W-1:0] pc');
  assert.equal(at('regs'), 'reg [31:0] regs');
  assert.equal(at('rst'), 'input wire clk, rst,');
  assert.equal(at('j'), 'integer i, j;');
  assert.equal(at('sum'), 'wire next = pc, sum');
  assert.equal(at('total'), 'wire zero = 0, total');
  assert.equal(at('state'), 'state_t state;');
  assert.equal(at('none'), '');
  assert.equal(declarationOf(text, 'nowhere', 'pc'), undefined);
});
