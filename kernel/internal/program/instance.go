package program

import "github.com/perijove/perijove/kernel/internal/program/typetext"

// An instance is a use of a generic function or type of the notebook.
type instance struct {
	generic string // its name
	key     string // the arguments, to tell instances apart
	args    []*typetext.Text
}

// names lists the notebook types among the arguments.
func (in instance) names() []string {
	var out []string
	for _, a := range in.args {
		out = append(out, a.Names...)
	}
	return out
}

// noteInstances remembers what the worker has.
func (t *state) noteInstances(list []instance) {
	for _, in := range list {
		if t.instances[in.generic] == nil {
			t.instances[in.generic] = map[string]instance{}
		}
		t.instances[in.generic][in.key] = in
	}
}
