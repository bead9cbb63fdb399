package xbee

// helpText is what help() prints: upstream's text with the two keys that Digi's
// firmware adds. The real text is not known.
const helpText = `Welcome to MicroPython!

For online docs please visit http://docs.micropython.org/

Control commands:
  CTRL-A        -- on a blank line, enter raw REPL mode
  CTRL-B        -- on a blank line, enter normal REPL mode
  CTRL-C        -- interrupt a running program
  CTRL-D        -- on a blank line, do a soft reset
  CTRL-E        -- on a blank line, enter paste mode
  CTRL-F        -- on a blank line, enter flash compile mode
  CTRL-R        -- on a blank line, run the code stored in flash

For further help on a specific object, type help(obj)
For the built-in modules, type help('modules')
`
