package translate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// An instance is a type, a constant or the body of a function, with one meaning of the names that it uses.
type instance struct {
	entity *entity
	step   int // the first at which it has this meaning
	key    string
	used   bool
	steps  map[int]bool // at which it is used, for functions

	function *function // of a function's body
	goName   string
	names    map[string]string // of a group of constants
}

// life returns the steps at which an entity is the meaning of its name.
func (b *book) life(e *entity) (first, last int) {
	last = e.step
	for last+1 < len(b.tables) && b.tables[last+1][e.name] == e {
		last++
	}
	return e.step, last
}

// entities lists the entities of some kinds in the order of their declarations.
func (b *book) entities(kinds ...cell.Kind) []*entity {
	var list []*entity
	for k, table := range b.tables {
		n := len(list)
		for _, e := range table {
			if e.step == k && slices.Contains(kinds, e.kind) {
				list = append(list, e)
			}
		}
		slices.SortFunc(list[n:], func(x, y *entity) int { return cmp.Or(x.id-y.id, strings.Compare(x.name, y.name)) })
	}
	return list
}

// classify finds the instances of types and constants: a declaration has another meaning after a step that
// changes a type or constant that it uses, directly or through others.
func (b *book) classify() {
	list := b.entities(cell.Type, cell.Const)
	classes := map[*entity][]int{}
	for _, e := range list {
		first, last := b.life(e)
		classes[e] = make([]int, last-first+1)
	}
	for changed := true; changed; {
		changed = false
		next := map[*entity][]int{}
		for _, e := range list {
			seen := map[string]int{}
			for i := range classes[e] {
				key := b.typeKey(e, e.step+i, classes)
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
		made := map[int]*instance{}
		for i, c := range classes[e] {
			if made[c] == nil {
				made[c] = &instance{entity: e, step: e.step + i, names: map[string]string{}}
				b.all = append(b.all, made[c])
			}
			b.instances[e] = append(b.instances[e], made[c])
		}
	}
}

// typeKey describes the meanings of the names that a type or constant uses at a step.
func (b *book) typeKey(e *entity, k int, classes map[*entity][]int) string {
	var key strings.Builder
	for _, r := range e.decl.Refs {
		t := b.lookup(k, r).entity
		if t == nil || classes[t] == nil || r.Key {
			continue
		}
		fmt.Fprintf(&key, "%d:%d ", t.id, classes[t][k-t.step])
	}
	return key.String()
}

// instanceAt returns the instance of a type, constant or function's body at a step.
func (b *book) instanceAt(e *entity, k int) *instance {
	list := b.instances[e]
	if len(list) == 0 {
		return nil
	}
	return list[min(max(k-e.step, 0), len(list)-1)]
}

// identity describes what a name means at a step, for comparisons.
func (b *book) identity(k int, t target) string {
	switch e := t.entity; {
	case e == nil:
		return t.path + t.text
	case e.kind == cell.Var:
		return fmt.Sprint("var ", e.variable().id)
	case e.kind == cell.Func:
		return fmt.Sprintf("func %p", b.groupAt(e, k))
	default:
		return fmt.Sprintf("%p", b.instanceAt(e, k))
	}
}
