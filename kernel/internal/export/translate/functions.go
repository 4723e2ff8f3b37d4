package translate

import (
	"fmt"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
	"github.com/perijove/perijove/kernel/internal/export/source"
)

// A function is a function or method of the notebook while its signature stays the same. Each of its instances is a body.
type function struct {
	name      string
	first     *entity // its first declaration
	step      int     // the first step at which it has this signature
	instances []*instance
	dispatch  bool // a variable selects the body
	goName    string
	version   string // the variable
}

// group finds the functions.
func (b *book) group() {
	byKey := map[string]*function{}
	for _, e := range b.entities(cell.Func) {
		first, last := b.life(e)
		for k := first; k <= last; k++ {
			key := e.name + " " + b.signatureKey(e, k)
			f := byKey[key]
			if f == nil {
				f = &function{name: e.name, first: e, step: k}
				byKey[key] = f
				b.functions = append(b.functions, f)
			}
			b.groups[e] = append(b.groups[e], f)
		}
	}
}

// version finds the bodies of functions.
func (b *book) version() {
	for _, e := range b.entities(cell.Func) {
		first, last := b.life(e)
		for k := first; k <= last; k++ {
			f := b.groupAt(e, k)
			b.instances[e] = append(b.instances[e], b.body(f, e, k))
		}
	}
}

// groupAt returns the function of a declaration at a step.
func (b *book) groupAt(e *entity, k int) *function {
	list := b.groups[e]
	if len(list) == 0 {
		return nil
	}
	return list[min(max(k-e.step, 0), len(list)-1)]
}

// body returns the instance of a function's declaration at a step.
func (b *book) body(f *function, e *entity, k int) *instance {
	var key strings.Builder
	fmt.Fprintf(&key, "%d", e.id)
	for _, r := range e.decl.Refs {
		if t := b.lookup(k, r); t.entity != nil && t.entity.kind == cell.Const && e.fact.Follows(&e.decl.Source, r.Off, true) {
			continue // the literal has the code for all values of the constant
		}
		if !r.Key {
			key.WriteString(" " + b.identity(k, b.lookup(k, r)))
		}
	}
	for _, in := range f.instances {
		if in.key == key.String() {
			return in
		}
	}
	in := &instance{entity: e, step: k, key: key.String(), steps: map[int]bool{}, function: f}
	f.instances = append(f.instances, in)
	b.all = append(b.all, in)
	return in
}

// signatureKey describes the signature of a function at a step, with its receiver's type.
func (b *book) signatureKey(e *entity, k int) string {
	d := e.decl
	end := d.Body
	if end < 0 {
		end = len(d.Text)
	}
	key := strings.Join(source.Tokens(d.Text[d.FuncEnd:end]), " ")
	for _, r := range d.Refs {
		if r.Off < end && r.Off >= d.FuncEnd {
			if t := b.lookup(k, r); t.entity == nil || t.entity.kind != cell.Func {
				key += " " + b.identity(k, t)
			}
		}
	}
	return key
}
