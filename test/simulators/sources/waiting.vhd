-- A clock that goes on for a long time.
entity waiting is
end entity;

architecture simulation of waiting is
  signal clk : bit := '0';
begin
  clk <= not clk after 5 ns when now < 100 sec;
end architecture;
