package cellprofile

import (
	"fmt"
	"strings"
)

// A Kind is a kind of profile.
type Kind struct {
	Name  string
	value string // the type of the values to show
	isOf  string // what the values measure, for messages
}

// Imports lists the names under which the code of the profiler imports packages. They contain ʹ, with which package
// mangle marks generated names.
func Imports() []string { return []string{"mphostʹp"} }

// Code that starts and stops the profiler.
const (
	importHost = "import mphostʹp \"github.com/perijove/perijove/lib/mp/mphost\"\n"
	startCode  = importHost + "if err := mphostʹp.StartProfile(%q, %q); err != nil { panic(err) }"
	stopCode   = importHost + "if err := mphostʹp.StopProfile(); err != nil { panic(err) }"
)

// kinds lists the kinds; the first is the default.
var kinds = []Kind{
	{"cpu", "cpu", "processor time"},
	{"mem", "alloc_space", "allocated memory"},
	{"block", "delay", "waiting time"},
	{"mutex", "delay", "time that other goroutines waited for a lock"},
	{"goroutine", "goroutine", "goroutines"},
}

// KindOf returns the kind with a name. The empty name means the default. It returns an error if there is no such
// kind.
func KindOf(name string) (Kind, error) {
	var names []string
	for _, k := range kinds {
		if name == "" || k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, fmt.Errorf("%q is not a kind of profile: write one of %s", name, strings.Join(names, ", "))
}
