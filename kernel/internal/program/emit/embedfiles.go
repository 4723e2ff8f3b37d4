package emit

import (
	"strconv"

	"github.com/perijove/perijove/kernel/internal/program/mangle"
)

// embedName is the function that fills a variable with //go:embed lines when
// the cell runs. The compiler could do this, but would need a list of the files.
const embedName = "embed" + mangle.Mark

// embedEdits returns edits that turn the specification of a variable into the call that fills it.
func (e *Emitter) embedEdits(st *Stmt, edits []edit) []edit {
	e.helpers[embedName] = true
	edits = append(cut(edits, st.Var.NamesEnd, len(st.Text)+1), edit{st.Var.NamesEnd, len(st.Text), ", " + strconv.Quote(st.Embed) + ")"})
	return append([]edit{{0, 0, embedName + "(&"}}, edits...)
}
