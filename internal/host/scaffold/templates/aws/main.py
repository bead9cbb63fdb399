# Decides what runs. It stays source, because a module prefers main.py to main.mpy.
# Everything else becomes a .mpy file that boot.bundle() keeps in the bundle: there its
# code takes next to nothing of the heap.
import boot

boot.bundle()
boot.forget()
del boot

import app

app.main()
