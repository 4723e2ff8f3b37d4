package memory

import "regexp"

var (
	refused      = regexp.MustCompile(`out of memory|cannot allocate memory|cannot map pages`)
	refusedLine  = regexp.MustCompile(`(?m)^(fatal error: )?(runtime: )?(out of memory|cannot allocate|cannot map pages|failed to reserve)`)
	runtimeFault = regexp.MustCompile(`(?s)^SIGSEGV: [^\n]*\nPC=[^\n]* sigcode=1 addr=0x[0-9a-f]{1,3}\n.*?\ngoroutine 0 [^\n]*\nruntime\.`)
)

// Refused reports whether a line of output of the Go runtime says that the operating system refused to give it
// memory.
func Refused(sentence string) bool { return refused.MatchString(sentence) }

// RuntimeFault reports whether the crash output of a Go program is about a memory fault inside the runtime. Such a
// fault occurs when a process reaches its limit. Linux then lets the runtime map reserved memory beyond the limit
// once, and refuses the next mapping. Not all parts of the runtime check for that error.
func RuntimeFault(words string) bool { return runtimeFault.MatchString(words) }

// DiedOf reports whether the crash output of a Go program with a memory limit says that the program ended because the
// system refused to give it memory.
func DiedOf(words string) bool { return refusedLine.MatchString(words) || RuntimeFault(words) }
