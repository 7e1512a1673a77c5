/* <cairn/cairn.h> as a test bench includes it, on its own. */
#include <cairn/cairn.h>

int cairn_application_header_is_plain(void);
int cairn_application_header_is_plain(void) { return 0; }
