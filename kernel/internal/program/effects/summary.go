// Package effects finds out from checked source what code does to the variables
// of the notebook: what each function may change and share (scan.go, call.go,
// roots.go), what the functions that it calls add to that (follow.go), and
// whether an expression gives the same value in a child process (purity.go).
package effects

import "slices"

// Effects tells what a cell does to the notebook's variables, as far as its
// source shows; where that leaves a doubt, it tells more. Names are those of
// the notebook, methods are "T.m".
type Effects struct {
	Declares []string // variables that the cell makes
	Defines  []string // functions, methods, types and constants that it declares
	Assigns  []string // older variables that get a new value as a whole, the old one unseen
	Writes   []string // older variables that it may change
	Reads    []string // what it needs of the notebook, with what that needs in turn
	// Sharing are sets of variables that may share memory from now on: to change
	// one may change the others.
	Sharing [][]string
	// Addressed are variables whose address is known to others, or that a
	// function literal refers to.
	Addressed []string
	// Process says that the cell changes what belongs to the process and is no
	// variable of the notebook: http's handlers, flags, the log's settings.
	Process bool
}

// A Summary is what a function does to variables, apart from what the
// functions of the notebook do that it calls.
type Summary struct {
	writes    Names        // notebook variables
	Inside    Names        // those of writes that are not just given a new value
	Assigned  Names        // those of writes that are given a new value
	addressed Names        // notebook variables
	sharing   [][2]Names   // pairs of variables that may share memory
	params    map[int]bool // may change what these refer to; -1 is the receiver
	Calls     []Call
	process   bool
}

func newSummary() Summary {
	return Summary{writes: Names{}, Inside: Names{}, Assigned: Names{}, addressed: Names{}, params: map[int]bool{}}
}

// A Call is a call of a notebook function. args are what its parameters may
// refer to; nil if that is not known.
type Call struct {
	Key  string
	args map[int]roots
}

// Names is a set of names.
type Names map[string]bool

// Add adds names.
func (n Names) Add(list ...string) {
	for _, s := range list {
		n[s] = true
	}
}

// Sorted lists the names.
func (n Names) Sorted() []string {
	out := make([]string, 0, len(n))
	for s := range n {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// A Notebook tells what an analysis asks about the declarations of the notebook
// as the cell leaves them.
type Notebook interface {
	// Function returns what is known of a function or method, nil if none has
	// this key.
	Function(key string) *Function
	// References returns the names that a declaration mentions, and whether it is
	// a variable.
	References(key string) (names []string, isVariable bool)
	// MethodsNamed returns the keys of the methods of this name.
	MethodsNamed(name string) []string
}

// A Function is what is known of a function of the notebook.
type Function struct {
	Summary Summary // what its body may change
	purity  *purity // what its body depends on; nil if that is not known
}

// Settle fills in what a cell with this summary does, its calls included. The
// cell makes the variables declared, and gives those in assigned a new value.
func (s Summary) Settle(e *Effects, declared, assigned Names) {
	e.Declares = declared.Sorted()
	read := Names{}
	read.Add(e.Reads...)
	for name := range assigned {
		if read[name] || declared[name] {
			delete(assigned, name)
		}
	}
	e.Assigns = assigned.Sorted()
	writes := Names{}
	for name := range s.writes {
		if !assigned[name] && (!declared[name] || read[name]) {
			writes.Add(name)
		}
	}
	for name := range s.throughNew(declared) {
		if read[name] {
			writes.Add(name)
		}
	}
	e.Writes = writes.Sorted()
	e.Addressed = s.addressed.Sorted()
	e.Process = s.process
	for _, l := range s.sharing {
		set := Names{}
		set.Add(l[0].Sorted()...)
		set.Add(l[1].Sorted()...)
		if len(set) > 1 {
			e.Sharing = append(e.Sharing, set.Sorted())
		}
	}
}

// throughNew lists what the cell may change through the variables it makes.
func (s Summary) throughNew(declared Names) Names {
	out := Names{}
	for _, l := range s.sharing {
		for _, side := range l {
			for name := range side {
				if declared[name] && s.Inside[name] {
					out.Add(l[0].Sorted()...)
					out.Add(l[1].Sorted()...)
				}
			}
		}
	}
	return out
}
