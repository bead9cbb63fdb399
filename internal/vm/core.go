package vm

// initCore declares the language's own types, functions and names, area by area.
func (fw *Firmware) initCore() {
	fw.initNames12()
	fw.initTypeTypes()
	fw.initClasses()
	fw.initExceptions()
	fw.initFunctions()
	fw.initGenerators()
	fw.initModules()
	fw.initObjects()
	fw.initNumbers()
	fw.initStrings()
	fw.initContainers()
	fw.initBuiltins()
}
