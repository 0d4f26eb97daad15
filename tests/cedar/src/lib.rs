//! Random policies and requests, decided by the core and by the Cedar engine: `tests/cedar` has the test, and
//! nothing is here.
