// Package check says what of an application will fail on a module before it does:
// each finding names its file, line and column, what fails there, and what to write
// instead.
//
// It reads the application and runs nothing. What the module's firmware has is handed
// in as tables ([Firmware]), and so is what was measured ([Measured]), so it knows no
// device. A rule is silent where it can't be sure: a check that cries wolf is switched
// off.
package check
