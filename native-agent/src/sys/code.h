// See the processor's folder.
#pragma once
#if defined(__x86_64__)
#include "sys/x86_64/code.h"
#else
#include "sys/i386/code.h"
#endif
