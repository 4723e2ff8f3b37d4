package memory

import "regexp"

var (
	refused      = regexp.MustCompile(`out of memory|cannot allocate memory|cannot map pages`)
	refusedLine  = regexp.MustCompile(`(?m)^(fatal error: )?(runtime: )?(out of memory|cannot allocate|cannot map pages|failed to reserve)`)
	runtimeFault = regexp.MustCompile(`(?s)^SIGSEGV: [^\n]*\nPC=[^\n]* sigcode=1 addr=0x[0-9a-f]{1,3}\n.*?\ngoroutine 0 [^\n]*\nruntime\.`)
)

// Refused reports whether a sentence of Go's runtime says that the system gave
// it no memory.
func Refused(sentence string) bool { return refused.MatchString(sentence) }

// RuntimeFault reports whether the last words of a Go program tell of a fault in
// the runtime's own work. Linux lets a process map over what it has reserved
// beyond its limit, and refuses the next mapping; not every part of the runtime
// looks at that.
func RuntimeFault(words string) bool { return runtimeFault.MatchString(words) }

// DiedOf reports whether the last words of a Go program that had a limit say
// that it died for want of memory.
func DiedOf(words string) bool { return refusedLine.MatchString(words) || RuntimeFault(words) }
