//go:build !linux

package child

import "github.com/perijove/perijove/lib/mp/internal/protocol"

// Elsewhere the page is not shared.
func noteFatal(protocol.BudgetPage) {}
