package symtab

import "github.com/perijove/perijove/kernel/internal/program/typetext"

// An Instance is a use of a generic function or type of the notebook.
type Instance struct {
	Generic string // its name
	Key     string // the arguments, to tell instances apart
	Args    []*typetext.Text
}

// TypeNames lists the notebook types among the arguments.
func (in Instance) TypeNames() []string {
	var out []string
	for _, a := range in.Args {
		out = append(out, a.Names...)
	}
	return out
}

// noteInstances remembers what the worker has.
func (t *Table) noteInstances(list []Instance) {
	for _, in := range list {
		if t.Instances[in.Generic] == nil {
			t.Instances[in.Generic] = map[string]Instance{}
		}
		t.Instances[in.Generic][in.Key] = in
	}
}
