//go:build !linux

package child

import "github.com/perijove/perijove/lib/mp/internal/protocol"

// noteFatal does nothing: on this system parent and child share no page.
func noteFatal(protocol.BudgetPage) {}
