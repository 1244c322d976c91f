"""A Liberty text small enough to check by hand."""

from __future__ import annotations

TEXT = """
/* a comment; with "quotes" and
   two lines */
library (tiny) {
  delay_model : table_lookup;
  time_unit : "10ps";
  voltage_unit : "100mV";
  leakage_power_unit : "1uW";
  capacitive_load_unit (2, pf);
  nom_voltage : 12.0;
  nom_temperature : 85
  slew_derate_from_library : 0.5;
  slew_lower_threshold_pct_rise : 10; slew_upper_threshold_pct_rise : 90;
  default_max_transition : 3;
  default_wire_load : "small";
  wire_load ("small") {
    capacitance : 0.5;
    slope : 2;
    fanout_length (1, 1);
    fanout_length (3, 5);
  }
  lu_table_template (both) {
    variable_1 : total_output_net_capacitance;
    variable_2 : input_net_transition;
    index_1 ("1, 2, 4");
    index_2 ("10, 20");
  }
  lu_table_template (check) {
    variable_1 : constrained_pin_transition;
    variable_2 : related_pin_transition;
    index_1 ("1, 2");
    index_2 ("3, 4");
  }
  power_lut_template (quiet) { variable_1 : input_transition_time; index_1 ("1, 2"); }
  cell (NAND) {
    area : 2.5;
    cell_leakage_power : 0.25;
    pg_pin (VDD) { pg_type : primary_power; }
    pg_pin (VSS) { pg_type : primary_ground; }
    leakage_power () { when : "A&B"; value : 0.5; related_pg_pin : VDD; }
    leakage_power () { when : "A&B"; value : 0.125; related_pg_pin : VSS; }
    leakage_power () { when : "!A"; value : 0.125; }
    pin (A, B) { direction : input; capacitance : 0.01; rise_capacitance : 0.02; max_transition : 4; }
    pin (Y) {
      direction : output;
      function : "!(A&B)";
      max_capacitance : 4;
      timing () {
        related_pin : "A B";
        cell_rise (both) { values ("1, 2", \\
                                   "3, 4", "5, 6"); }
        cell_fall (both) { index_1 ("1, 3, 5"); values ("1, 2", "3, 4", "5, 6"); }
        rise_transition (scalar) { values ("7"); }
        fall_transition (both) { values ("0.1, 0.2", "0.3, 0.4", "0.5, 0.6"); }
      }
      internal_power () {
        related_pin : "A";
        when : "B";
        related_pg_pin : VDD;
        rise_power (quiet) { values ("1, 2"); }
        fall_power (scalar) { values ("-1"); }
      }
    }
  }
  cell (FLOP) {
    area : 10;
    dont_use : true;
    ff (IQ, IQN) { clocked_on : "!CK"; next_state : "D"; clear : "!R"; }
    pin (CK) { direction : input; clock : true; capacitance : 0.01; }
    pin (R) { direction : input; capacitance : 0.01; }
    pin (D) {
      direction : input;
      capacitance : 0.01;
      timing () {
        related_pin : CK; timing_type : setup_falling;
        rise_constraint (check) { values ("1, 2", "3, 4"); }
        fall_constraint (scalar) { values (0.5); }
      }
      internal_power () { power (quiet) { values ("1, 2"); } }
    }
    pin (Q) { direction : output; function : IQ; }
    test_cell () { pin (X) { direction : input; } }
  }
  cell (HOLD) {
    area : 1;
    latch (IQ, IQN) { enable : "G"; data_in : "D"; }
    pin (D) { direction : input; }
    pin (G) { direction : input; }
    pin (Q) { direction : output; function : "IQ"; three_state : "!G"; }
  }
}
"""
