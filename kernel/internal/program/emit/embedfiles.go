package emit

import (
	"strconv"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// embedName is the function that fills a variable with //go:embed lines when
// the cell runs. The compiler could do it, but would need to be told the files.
const embedName = "embed" + mangle.Mark

// embedEdits make the call that fills the variable out of its specification.
func (e *Emitter) embedEdits(st *Stmt, edits []edit) []edit {
	e.helpers[embedName] = true
	edits = append(cut(edits, st.Var.NamesEnd, len(st.Text)+1), edit{st.Var.NamesEnd, len(st.Text), ", " + strconv.Quote(st.Embed) + ")"})
	return append([]edit{{0, 0, embedName + "(&"}}, edits...)
}
