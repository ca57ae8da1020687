"""ARE the addresses alive: collected with their places, asked politely and safely, judged by a pure function, remembered."""
