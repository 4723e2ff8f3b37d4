package resolve

import (
	"slices"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// follow notes that function literals use a constant that later cells change.
func (b *Book) follow(name string) {
	if !slices.Contains(b.Followed, name) {
		b.Followed = append(b.Followed, name)
	}
}

// Constants lists the constants that a name means in the course of the notebook, in their order.
func (b *Book) Constants(name string) []*Instance {
	var list []*Instance
	for k := range b.Tables {
		if x := b.ConstantAt(name, k); x != nil && !slices.Contains(list, x) {
			list = append(list, x)
		}
	}
	return list
}

// ConstantAt returns the meaning of a name at a step if it is a constant, or nil.
func (b *Book) ConstantAt(name string, k int) *Instance {
	if k < 0 || b.Tables[k][name] == nil || b.Tables[k][name].Kind != cell.Const {
		return nil
	}
	return b.InstanceAt(b.Tables[k][name], k)
}
