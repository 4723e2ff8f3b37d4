package symtab

import "github.com/perijove/perijove/kernel/internal/program/typetext"

// An Instance is a generic function or type of the notebook together with type arguments.
type Instance struct {
	Generic string // name of the generic function or type
	Key     string // text of the type arguments, unique among the instances of Generic
	Args    []*typetext.Text
}

// TypeNames lists the notebook types that the arguments mention.
func (in Instance) TypeNames() []string {
	var out []string
	for _, a := range in.Args {
		out = append(out, a.Names...)
	}
	return out
}

// noteInstances records the instances that the worker process has loaded.
func (t *Table) noteInstances(list []Instance) {
	for _, in := range list {
		if t.Instances[in.Generic] == nil {
			t.Instances[in.Generic] = map[string]Instance{}
		}
		t.Instances[in.Generic][in.Key] = in
	}
}
