/* sanitizer.h - which of the compilers' sanitizers this build has; 1 or 0 each. */
#ifndef CX_BASE_SANITIZER_H
#define CX_BASE_SANITIZER_H

#if defined(__has_feature) /* clang; gcc has macros of its own */
#define CX_HAS_SANITIZER(name) __has_feature(name##_sanitizer)
#else
#define CX_HAS_SANITIZER(name) 0
#endif

/* Its allocator does not survive a fork beside a thread that allocates, as glibc's does: the child
 * may hang. Loading a model forks. */
#if defined(__SANITIZE_ADDRESS__) || CX_HAS_SANITIZER(address)
#define CX_ADDRESS_SANITIZER 1
#else
#define CX_ADDRESS_SANITIZER 0
#endif

/* Any that has its own needs of memory and time. */
#if CX_ADDRESS_SANITIZER || defined(__SANITIZE_THREAD__) || CX_HAS_SANITIZER(thread) || \
    CX_HAS_SANITIZER(memory)
#define CX_HEAVY_SANITIZER 1
#else
#define CX_HEAVY_SANITIZER 0
#endif

#endif
