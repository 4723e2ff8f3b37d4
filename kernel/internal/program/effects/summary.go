// Package effects analyses the effects of checked source on the variables of
// the notebook: which variables each function may change, and which share memory (scan.go,
// call.go, roots.go), the effects of the functions that it calls (follow.go), and
// whether an expression gives the same value in a child process (purity.go).
package effects

import "slices"

// Effects describes the effects of a cell on the notebook's variables. It is derived from the source. In case of
// doubt it includes effects that may not happen. Names are those of the notebook; the name of a method is "T.m".
type Effects struct {
	Declares []string // variables that the cell declares
	Defines  []string // functions, methods, types and constants that the cell declares
	Assigns  []string // older variables to which the cell assigns a new value without reading the old one
	Writes   []string // older variables that the cell may change in another way
	Reads    []string // older declarations that the cell needs, directly or through others
	// Sharing are sets of variables that may share memory after the cell: a change of one variable may change the
	// others in its set.
	Sharing [][]string
	// Addressed are variables whose address is taken, or that a function literal uses.
	Addressed []string
	// Process reports whether the cell changes state of the process other than notebook variables: HTTP handlers,
	// environment variables, settings of package log.
	Process bool
}

// A Summary describes the effects of a function's body on variables. It does not include the effects of the notebook
// functions that the body calls.
type Summary struct {
	writes    Names        // notebook variables that may change
	Inside    Names        // variables of which only a part may change, such as an element of a slice
	Assigned  Names        // variables to which a whole value is assigned
	addressed Names        // notebook variables whose address is taken
	sharing   [][2]Names   // pairs of variables that may share memory
	params    map[int]bool // parameters to whose memory the function may write; -1 is the receiver
	Calls     []Call
	process   bool // see Effects.Process
}

func newSummary() Summary {
	return Summary{writes: Names{}, Inside: Names{}, Assigned: Names{}, addressed: Names{}, params: map[int]bool{}}
}

// A Call is a call of a notebook function. args has the memory to which a parameter may refer, by the index of the
// parameter; it is nil if that memory is not known.
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

// Sorted returns the names in order.
func (n Names) Sorted() []string {
	out := make([]string, 0, len(n))
	for s := range n {
		out = append(out, s)
	}
	slices.Sort(out)
	return out
}

// A Notebook looks up the declarations of the notebook as they are after the cell.
type Notebook interface {
	// Function returns the function or method with this key, or nil if there is none.
	Function(key string) *Function
	// References returns the names that a declaration uses, and whether the declaration is a variable.
	References(key string) (names []string, isVariable bool)
	// MethodsNamed returns the keys of the methods with this name.
	MethodsNamed(name string) []string
}

// A Function holds the results of the analysis of a notebook function.
type Function struct {
	Summary Summary // effects of the function's body
	purity  *purity // dependencies of its body; nil if they are not known
}

// Settle completes e with the effects of a cell. s is the summary of the cell, including its calls. The cell declares
// the variables in declared and assigns to those in assigned.
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

// throughNew returns the variables that the cell may change through memory that they share with the
// variables in declared.
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
