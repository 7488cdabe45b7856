"""How a command can end: 1 something failed or differs, 2 a mistake, 3 a requirement missed, then the signals."""

OK, SOMETHING_FAILED, USER_ERROR, MISSED, INTERRUPTED, TERMINATED = 0, 1, 2, 3, 130, 143
