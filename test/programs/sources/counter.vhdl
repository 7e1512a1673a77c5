-- A counter and a shift register, a report now and then; the clock stops after a while. It ends when it was checkpointed.
library ieee;
use ieee.std_logic_1164.all;
use ieee.numeric_std.all;
use std.textio.all;

entity counter is end;

architecture test of counter is
  signal clock : std_logic := '0';
  signal count : unsigned(31 downto 0) := (others => '0');
  signal shift : std_logic_vector(63 downto 0) := x"0123456789abcdef";
  signal done : boolean := false;
begin
  clock <= not clock after 5 ns when not done;

  process (clock)
    file checkpointed : text;
    variable found : file_open_status;
  begin
    if rising_edge(clock) then
      count <= count + 3;
      shift <= shift(62 downto 0) & (shift(63) xor shift(60));
      if count mod 3000 = 0 then
        report "count " & integer'image(to_integer(count)) severity note;
      end if;
      -- Simulated time stands still meanwhile.
      if count = 235500 then
        loop
          file_open(found, checkpointed, "checkpointed", read_mode);
          exit when found = open_ok;
        end loop;
      end if;
      if count > 240000 then
        done <= true;
      end if;
    end if;
  end process;
end;
