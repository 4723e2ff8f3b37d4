package resolve

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// An Instance is a type, a constant or the body of a function, with one meaning of the names that it uses.
type Instance struct {
	Entity *Entity
	Step   int // the first step at which the names have this meaning
	key    string
	Used   bool
	steps  map[int]bool // at which it is used, for functions

	Function *Function // the function if the instance is the body of one
	GoName   string
}

// Life returns the steps at which an entity is the meaning of its name.
func (b *Book) Life(e *Entity) (first, last int) {
	last = e.Step
	for last+1 < len(b.Tables) && b.Tables[last+1][e.Name] == e {
		last++
	}
	return e.Step, last
}

// Entities lists the entities of the given kinds in the order of their declarations.
func (b *Book) Entities(kinds ...cell.Kind) []*Entity {
	var list []*Entity
	for k, table := range b.Tables {
		n := len(list)
		for _, e := range table {
			if e.Step == k && slices.Contains(kinds, e.Kind) {
				list = append(list, e)
			}
		}
		slices.SortFunc(list[n:], func(x, y *Entity) int { return cmp.Or(x.id-y.id, strings.Compare(x.Name, y.Name)) })
	}
	return list
}

// classify finds the instances of types and constants: a declaration has another meaning after a step that
// changes a type or constant that it uses, directly or through others.
func (b *Book) classify() {
	list := b.Entities(cell.Type, cell.Const)
	classes := map[*Entity][]int{}
	for _, e := range list {
		first, last := b.Life(e)
		classes[e] = make([]int, last-first+1)
	}
	for changed := true; changed; {
		changed = false
		next := map[*Entity][]int{}
		for _, e := range list {
			seen := map[string]int{}
			for i := range classes[e] {
				key := b.typeKey(e, e.Step+i, classes)
				if _, ok := seen[key]; !ok {
					seen[key] = len(seen)
				}
				next[e] = append(next[e], seen[key])
			}
			changed = changed || !slices.Equal(next[e], classes[e])
		}
		classes = next
	}
	for _, e := range list {
		made := map[int]*Instance{}
		for i, c := range classes[e] {
			if made[c] == nil {
				made[c] = &Instance{Entity: e, Step: e.Step + i}
				b.All = append(b.All, made[c])
			}
			b.instances[e] = append(b.instances[e], made[c])
		}
	}
}

// typeKey describes the meanings of the names that a type or constant uses at a step.
func (b *Book) typeKey(e *Entity, k int, classes map[*Entity][]int) string {
	var key strings.Builder
	for _, r := range e.Decl.Refs {
		t := b.Lookup(k, r).Entity
		if t == nil || classes[t] == nil || r.Key {
			continue
		}
		fmt.Fprintf(&key, "%d:%d ", t.id, classes[t][k-t.Step])
	}
	return key.String()
}

// InstanceAt returns the instance of a type, constant or function's body at a step.
func (b *Book) InstanceAt(e *Entity, k int) *Instance {
	list := b.instances[e]
	if len(list) == 0 {
		return nil
	}
	return list[min(max(k-e.Step, 0), len(list)-1)]
}

// identity describes what a name means at a step, for comparisons.
func (b *Book) identity(k int, t Target) string {
	switch e := t.Entity; {
	case e == nil:
		return t.Path + t.Text
	case e.Kind == cell.Var:
		return fmt.Sprint("var ", e.Variable().id)
	case e.Kind == cell.Func:
		return fmt.Sprintf("func %p", b.GroupAt(e, k))
	default:
		return fmt.Sprintf("%p", b.InstanceAt(e, k))
	}
}
