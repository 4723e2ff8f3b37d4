package cellprofile

import (
	"fmt"
	"strings"
)

// A Kind is a kind of profile.
type Kind struct {
	Name  string
	start string // Go code that runs before the cell; %q is the file with the profile before, or of cpu the file with the profile
	stop  string // Go code that runs after it; %q is the file with the profile
	value string // the type of the values to show
	isOf  string // what a value is
}

// Imports lists the names of the packages that the code of the profiler imports. They end in ʹ, the mark of package mangle.
func Imports() []string { return []string{"pprofʹp", "osʹp", "runtimeʹp"} }

// begin and end are around the code of a kind, for the file f. The profiler refers to the file while it writes.
const (
	begin = "import pprofʹp \"runtime/pprof\"\nimport osʹp \"os\"\nimport runtimeʹp \"runtime\"\nfunc() {\nf, err := osʹp.Create(%q)\nif err != nil { panic(err) }\ndefer runtimeʹp.KeepAlive(f)\n"
	end   = "\n}()"
	write = "if err := pprofʹp.Lookup(%q).WriteTo(f, 0); err != nil { panic(err) }\nif err := f.Close(); err != nil { panic(err) }\n"
)

// kinds lists the kinds; the first is the default.
var kinds = []Kind{
	{"cpu", begin + "if err := pprofʹp.StartCPUProfile(f); err != nil { panic(err) }" + end, "import pprofʹp \"runtime/pprof\"\npprofʹp.StopCPUProfile()", "cpu", "processor time"},
	// Only two collections publish all allocations before them.
	lookup("mem", "allocs", "runtimeʹp.GC()\nruntimeʹp.GC()\n", "", "", "alloc_space", "allocated memory"),
	lookup("block", "block", "", "runtimeʹp.SetBlockProfileRate(1)", "runtimeʹp.SetBlockProfileRate(0)", "delay", "time of waiting"),
	lookup("mutex", "mutex", "", "runtimeʹp.SetMutexProfileFraction(1)", "runtimeʹp.SetMutexProfileFraction(0)", "delay", "time that others waited for a lock"),
	{"goroutine", "", begin + fmt.Sprintf(write, "goroutine") + end, "goroutine", "goroutines"},
}

// lookup returns a kind of profile that counts from the start of the process.
func lookup(name, of, before, on, off, value, isOf string) Kind {
	text := begin + before + fmt.Sprintf(write, of)
	return Kind{name, text + on + end, text + off + end, value, isOf}
}

// KindOf returns the kind with a name; "" means the default.
func KindOf(name string) (Kind, error) {
	var names []string
	for _, k := range kinds {
		if name == "" || k.Name == name {
			return k, nil
		}
		names = append(names, k.Name)
	}
	return Kind{}, fmt.Errorf("%q is no kind of profile: it takes %s", name, strings.Join(names, ", "))
}
