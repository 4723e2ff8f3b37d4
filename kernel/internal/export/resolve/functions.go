package resolve

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A Function is a function or method of the notebook while its signature stays the same. Each of its instances is a body.
type Function struct {
	Name      string
	First     *Entity // the first declaration of the function
	step      int     // the first step at which it has this signature
	instances []*Instance
	Dispatch  bool // the program has several bodies, and a variable selects one
	GoName    string
	Version   string // the name of the variable that selects the body
}

// group finds the functions.
func (b *Book) group() {
	byKey := map[string]*Function{}
	for _, e := range b.Entities(cell.Func) {
		first, last := b.Life(e)
		for k := first; k <= last; k++ {
			key := e.Name + " " + b.signatureKey(e, k)
			f := byKey[key]
			if f == nil {
				f = &Function{Name: e.Name, First: e, step: k}
				byKey[key] = f
				b.Functions = append(b.Functions, f)
			}
			b.Groups[e] = append(b.Groups[e], f)
		}
	}
}

// version finds the bodies of functions.
func (b *Book) version() {
	for _, e := range b.Entities(cell.Func) {
		first, last := b.Life(e)
		for k := first; k <= last; k++ {
			f := b.GroupAt(e, k)
			b.instances[e] = append(b.instances[e], b.body(f, e, k))
		}
	}
}

// GroupAt returns the function of a declaration at a step.
func (b *Book) GroupAt(e *Entity, k int) *Function {
	list := b.Groups[e]
	if len(list) == 0 {
		return nil
	}
	return list[min(max(k-e.Step, 0), len(list)-1)]
}

// body returns the instance of a function's declaration at a step.
func (b *Book) body(f *Function, e *Entity, k int) *Instance {
	var key strings.Builder
	fmt.Fprintf(&key, "%d", e.id)
	for _, r := range e.Decl.Refs {
		if t := b.Lookup(k, r); t.Entity != nil && t.Entity.Kind == cell.Const && e.Fact.Follows(&e.Decl.Source, r.Off, true) {
			continue // the literal has the code for all values of the constant
		}
		if !r.Key {
			key.WriteString(" " + b.identity(k, b.Lookup(k, r)))
		}
	}
	for _, in := range f.instances {
		if in.key == key.String() {
			return in
		}
	}
	in := &Instance{Entity: e, Step: k, key: key.String(), steps: map[int]bool{}, Function: f}
	f.instances = append(f.instances, in)
	b.All = append(b.All, in)
	return in
}

// signatureKey describes the signature of a function at a step, with its receiver's type.
func (b *Book) signatureKey(e *Entity, k int) string {
	d := e.Decl
	end := d.Body
	if end < 0 {
		end = len(d.Text)
	}
	key := strings.Join(source.Tokens(d.Text[d.FuncEnd:end]), " ")
	for _, r := range d.Refs {
		if r.Off < end && r.Off >= d.FuncEnd {
			if t := b.Lookup(k, r); t.Entity == nil || t.Entity.Kind != cell.Func {
				key += " " + b.identity(k, t)
			}
		}
	}
	return key
}

// BodyAt returns the body of a function at a step, or nil.
func (fn *Function) BodyAt(b *Book, k int) *Instance {
	if k < 0 {
		return nil
	}
	e := b.Tables[k][fn.Name]
	if e == nil || e.Kind != cell.Func || b.GroupAt(e, k) != fn {
		return nil
	}
	return b.InstanceAt(e, k)
}

// Bodies lists the instances of a function that are used.
func (f *Function) Bodies() []*Instance {
	var list []*Instance
	for _, in := range f.instances {
		if in.Used {
			list = append(list, in)
		}
	}
	return list
}
