package program

import (
	"fmt"
	"go/types"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// embeds reports whether a cell without statements has //go:embed lines: its
// variables are then given their values by statements.
func embeds(c *cell.Cell) bool {
	for _, d := range c.Decls {
		if d.Embed {
			return true
		}
	}
	return false
}

// embedErrors checks the variables of the cell that have //go:embed lines.
func (b *builder) embedErrors() cell.Errors {
	var errs cell.Errors
	for _, st := range b.stmts {
		if st.Embed == "" {
			continue
		}
		name := st.Names[0].Name
		msg := ""
		switch v := b.vars[name]; {
		case len(st.Names) != 1 || v == nil:
			msg = "//go:embed stands above one variable"
		case len(st.Var.Values) > 0:
			msg = "a variable with //go:embed cannot have a value"
		case v.IsEmbeddable:
		default:
			msg = fmt.Sprintf("//go:embed fills a string, a []byte or an embed.FS, and %s is a %s", name, v.TypeString)
		}
		if msg != "" {
			errs = append(errs, &cell.Error{Cell: b.c.N, Pos: st.Pos, Msg: msg, Source: cell.Line(b.c.Src, st.Pos.Line)})
		}
	}
	return errs
}

// canEmbed reports whether files can be put into a variable of type t.
func canEmbed(t types.Type) bool {
	if named, ok := types.Unalias(t).(*types.Named); ok {
		obj := named.Obj()
		if obj.Pkg() != nil && obj.Pkg().Path() == "embed" && obj.Name() == "FS" {
			return true
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Kind() == types.String
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && b.Kind() == types.Byte
	}
	return false
}
