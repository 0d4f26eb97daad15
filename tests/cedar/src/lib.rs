//! Random policies and requests, decided by the core and by the Cedar engine. This library is empty; the test is in
//! `tests`.
