"""Small programs of our own: built with nothing but the compiler, run on the emulated board."""

import shutil

import numpy as np
import pytest

from maxexp.base.errors import BoardError
from maxexp.board.compilers import COMPILERS, GNU, GNU_FIX, ZIG_FIX
from maxexp.board.config import CompilerName
from maxexp.board.emulator.run import run_emulated
from maxexp.board.firmware import build_firmware, build_firmware_with_sdk, find_sdk
from maxexp.chip.parts.max78000 import PART as MAX78000
from tests.board.programming import HandLayer, output_addresses, program, start
from tests.board.test_accelerator import expected, numbers

PROGRAM = """
#include <stdio.h>
#include "gcfr_regs.h"
#include "mxc.h"
%s
int main(void) {
  MXC_ICC_Enable(MXC_ICC0);
  MXC_SYS_Clock_Select(MXC_SYS_CLOCK_IPO);
  SystemCoreClockUpdate();
  printf("Waiting...\\n");
%s
}
"""

POWER_ON = """
  MXC_GCFR->reg3 = 0xf; MXC_GCFR->reg1 = 0xf; MXC_GCFR->reg0 = 0xf; MXC_GCFR->reg2 = 0; MXC_GCFR->reg3 = 0;
  MXC_GCR->pclkdiv = (MXC_GCR->pclkdiv & ~(MXC_F_GCR_PCLKDIV_CNNCLKDIV | MXC_F_GCR_PCLKDIV_CNNCLKSEL))
                     | MXC_S_GCR_PCLKDIV_CNNCLKSEL_PCLK | %s;
  MXC_SYS_ClockEnable(MXC_SYS_PERIPH_CLOCK_CNN);
"""

# A table of stores, and the interrupt that says that the accelerator is done.
LAYER = """
static const struct { uint32_t address, value, size; } stores[] = {%s};
static const uint32_t results[][2] = {%s};
static volatile uint32_t microseconds;
static void done(void) {
  for (uint32_t control = 0x50100000; control < 0x51000000; control += 0x400000)
    *(volatile uint32_t *) control &= ~(1u << 12 | 1);
  microseconds = MXC_TMR_SW_Stop(MXC_TMR0);
}
"""
RUN = """
  MXC_NVIC_SetVector(CNN_IRQn, done);
  MXC_TMR_SW_Start(MXC_TMR0);
  for (unsigned i = 0; i < sizeof stores / sizeof stores[0]; i++)
    if (stores[i].size == 1)
      *(volatile uint8_t *) stores[i].address = stores[i].value;
    else
      *(volatile uint32_t *) stores[i].address = stores[i].value;
  while (microseconds == 0)
    MXC_LP_EnterSleepMode();
  printf("*** PASS ***\\nApproximate inference time: %u us\\n", (unsigned) microseconds);
  for (unsigned i = 0; i < sizeof results / sizeof results[0]; i++)
    printf("[%7d] -> Class %d: 0.0%%\\n", (int) *(volatile RESULT *) results[i][0], i);
  return 0;
"""


@pytest.fixture(params=COMPILERS)
def each_compiler(request) -> CompilerName:
    """One compiler after another, as far as they are installed."""
    if not COMPILERS[request.param].found():
        pytest.skip(COMPILERS[request.param].fix)
    return request.param


@pytest.fixture
def run(each_compiler, tmp_path):
    """``run(statements, declarations)``: build a program around them and run it."""

    def run(statements, declarations="", instructions=3_000_000):
        project = tmp_path / "project"
        project.mkdir(exist_ok=True)
        (project / "main.c").write_text(PROGRAM % (declarations, statements))
        firmware = build_firmware(project, tmp_path / "build", MAX78000, compiler=each_compiler)
        return run_emulated(firmware.image, MAX78000, instructions)

    return run


@pytest.mark.parametrize("wide", [False, True])
@pytest.mark.parametrize(("divider", "factor"), [("DIV1", 1), ("DIV4", 4)])
def test_one_layer(run, wide, divider, factor):
    x = HandLayer(5, 8, 8, numbers(6, 5, 3, 3), numbers(6), padding=(1, 1), shift=-4, wide=wide)
    values = numbers(5, 8, 8)
    stores = ",".join(f"{{0x{a:x}, 0x{v:x}, {n}}}" for a, v, n in program(x, values) + start())
    results = ",".join(f"{{0x{a:x}, {n}}}" for a, n in output_addresses(x, 64))
    declarations = f"#define RESULT {'int32_t' if wide else 'int8_t'}" + LAYER % (stores, results)
    outcome = run(POWER_ON % f"MXC_S_GCR_PCLKDIV_CNNCLKDIV_{divider}" + RUN, declarations)
    assert outcome.result.passed
    logits = [outcome.result.logits[i] for i in range(len(outcome.result.logits))]
    np.testing.assert_array_equal(logits, expected(x, values).reshape(-1))
    assert outcome.result.inference_us == outcome.cycles * factor // 50
    assert outcome.runs == 1


def test_time_passes_while_waiting(run):
    statements = """
      MXC_TMR_SW_Start(MXC_TMR0);
      MXC_Delay(SEC(1) + MSEC(23) + 45);
      unsigned time = MXC_TMR_SW_Stop(MXC_TMR0);
      printf("*** PASS ***\\nApproximate inference time: %u us\\n", time);
      return 0;
    """
    assert run(statements).result.inference_us == 1_023_045


def test_a_network_of_less_than_a_microsecond(run):
    """Firmware takes a stopwatch that says 0 for one that still runs, and would sleep for good."""
    x = HandLayer(1, 1, 3, numbers(1, 1, 1, 1), wide=True)
    stores = ",".join(f"{{0x{a:x}, 0x{v:x}, {n}}}" for a, v, n in program(x, numbers(1, 1, 3)) + start())
    results = ",".join(f"{{0x{a:x}, {n}}}" for a, n in output_addresses(x, 3))
    outcome = run(
        POWER_ON % "MXC_S_GCR_PCLKDIV_CNNCLKDIV_DIV1" + RUN, "#define RESULT int32_t" + LAYER % (stores, results)
    )
    assert outcome.cycles < 50
    assert outcome.result.passed


def test_an_interrupt_just_before_sleep_is_not_slept_through(run):
    """Firmware looks at a variable, the interrupt sets it, firmware goes to sleep: nothing else would wake it."""
    declarations = "static volatile int served; static void handler(void) { served = 1; }"
    statements = """
      MXC_NVIC_SetVector(CNN_IRQn, handler);
      *(volatile uint32_t *) (0xe000e200 + CNN_IRQn / 32 * 4) = 1u << CNN_IRQn % 32;
      while (!served) {}
      MXC_LP_EnterSleepMode();
      printf("*** PASS ***\\n");
      return 0;
    """
    assert run(statements, declarations).result.passed


def test_sleep_without_any_interrupt_ends_the_run(run):
    with pytest.raises(BoardError, match="neither PASS nor FAIL and sleeps"):
        run("MXC_LP_EnterSleepMode(); return 0;")


def test_serial_lines_end_as_terminals_want(run):
    assert run('printf("*** PASS ***\\n%s %d\\n", "text", -5); return 0;').result.text.endswith("text -5\n")


def test_formatted_output(run):
    """What firmware prints with, by a C library of ours or by newlib."""
    text = run("""
      printf("[%7d] [%-7d] [%07d] [%d] [%u]\\n", -42, 42, -42, (int) 0x80000000, (unsigned) -1);
      printf("[%08x] [%X] [%x] [%s] [%6s] [%-6s] [%c] 100%%\\n", 0xbeefu, 0xBEEFu, 0u, "a", "bc", "de", 'f');
      printf("[%lu] [%ld]\\n", 4000000000ul, -5l);
      printf("*** PASS ***\\n"); return 0;
    """).result.text  # fmt: skip
    assert "[    -42] [42     ] [-000042] [-2147483648] [4294967295]" in text
    assert "[0000beef] [BEEF] [0] [a] [    bc] [de    ] [f] 100%" in text
    assert "[4000000000] [-5]" in text


def test_failure_ends_the_run(run):
    outcome = run('printf("\\n*** FAIL ***\\n\\n"); for (;;) {}', instructions=10**12)
    assert outcome.result.passed is False


def test_a_program_that_passed_may_go_on_for_ever(run):
    assert run('printf("*** PASS ***\\n"); for (;;) {}').result.passed


@pytest.mark.parametrize(
    ("statements", "says"),
    [
        ("return 0;", "neither PASS nor FAIL and sleeps; its last words: Waiting"),
        ("for (;;) {}", "neither PASS nor FAIL within 3,000,000 instructions"),
        ("*(volatile int *) 0x90000000 = 1;", "crashed at 0x1000.*0x90000000"),
        ("((void (*)(void)) 0x30000001)();", "crashed"),
        ('__asm volatile("svc 0");', "processor exception"),
        ("*(volatile int *) 0x4000a000 = 1;", "0x4000a000: no such register"),
        ("*(volatile int *) 0x50100000 = 8;", "without power or clock"),
        ("MXC_GCR->clkctrl = 0; MXC_TMR_SW_Start(MXC_TMR0);", "not the 100 MHz oscillator"),
        (POWER_ON % 0 + "*(volatile int *) 0x5010000c = 1;", "0x5010000c has no known meaning"),
        (POWER_ON % "(5u << 14)" + "for (unsigned i = 0;; i++) {}", "neither PASS nor FAIL"),
    ],
)
def test_programs_that_go_wrong(run, statements, says):
    with pytest.raises(BoardError, match=says):
        run(statements)


def test_no_compiler(tmp_path, monkeypatch):
    (tmp_path / "main.c").write_text("int main(void) { return 0; }")
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("maxexp.board.compilers.importlib.util.find_spec", lambda name: None)
    for choice, fixes in {
        CompilerName.auto: [GNU_FIX, ZIG_FIX],
        CompilerName.gnu: ["board.compiler=gnu", GNU_FIX],
        CompilerName.zig: ["board.compiler=zig", ZIG_FIX],
    }.items():
        with pytest.raises(BoardError) as error:
            build_firmware(tmp_path, tmp_path / "build", MAX78000, compiler=choice)
        assert all(fix in str(error.value) for fix in fixes) and "\n" not in str(error.value)


def test_compiler_without_a_c_library(tmp_path, monkeypatch):
    stand_in = tmp_path / GNU
    message = "fatal error: cannot read spec file 'nano.specs': No such file or directory"
    stand_in.write_text(f'#!/bin/sh\necho "$0: {message}"\nexit 1\n')
    stand_in.chmod(0o755)
    (tmp_path / "main.c").write_text("int main(void) { return 0; }")
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(BoardError, match="cannot read spec file.*libnewlib-arm-none-eabi"):
        build_firmware(tmp_path, tmp_path / "build", MAX78000, compiler=CompilerName.gnu)


def test_first_compiler_error_and_the_log(each_compiler, tmp_path):
    (tmp_path / "main.c").write_text("int main(void) { return nothing; }\nint more(void) { return less; }\n")
    with pytest.raises(BoardError, match=r"main\.c:1:\d+: error: .*nothing.*build\.log") as error:
        build_firmware(tmp_path, tmp_path / "build", MAX78000, compiler=each_compiler)
    assert "less" not in str(error.value)
    assert "less" in (tmp_path / "build" / "build.log").read_text()


def test_firmware_larger_than_the_flash(each_compiler, tmp_path):
    text = "#include <stdio.h>\nstatic const char big[600000] = {1};\nint main(int n) { return printf(big + n); }"
    (tmp_path / "main.c").write_text(text)
    with pytest.raises(BoardError, match="FLASH.*overflowed"):
        build_firmware(tmp_path, tmp_path / "build", MAX78000, compiler=each_compiler)


def test_nothing_to_build(tmp_path):
    with pytest.raises(BoardError, match="no C files"):
        build_firmware(tmp_path, tmp_path / "build", MAX78000)


def test_sdk_builds_with_the_projects_own_makefile(tmp_path, monkeypatch):
    if not (shutil.which("make") and shutil.which(GNU)):
        pytest.skip(f"no make or no {GNU}")
    sdk, project = tmp_path / "sdk", tmp_path / "project"
    (sdk / "Libraries").mkdir(parents=True)
    project.mkdir()
    monkeypatch.setenv("MAXIM_PATH", str(sdk))
    (project / "main.c").write_text("void reset(void) {}")
    flags = "-nostdlib -e reset -Ttext=0x10000000 -DBOARD_$(BOARD)"
    command = f"arm-none-eabi-gcc {flags} main.c -o $(BUILD_DIR)/$(PROJECT).elf"
    (project / "Makefile").write_text(f"all:\n\ttest -d $(MAXIM_PATH)/Libraries\n\t{command}\n")
    firmware = build_firmware_with_sdk(project, tmp_path / "build", find_sdk(), "FTHR_RevA", MAX78000)
    assert firmware.elf.is_file() and firmware.hex.is_file() and firmware.image.is_file()
    assert "-DBOARD_FTHR_RevA" in (tmp_path / "build" / "build.log").read_text()
    (project / "Makefile").write_text("all:\n\tfalse\n")
    with pytest.raises(BoardError, match="Error 1"):
        build_firmware_with_sdk(project, tmp_path / "build", sdk, "EvKit_V1", MAX78000)


def test_no_sdk_where_none_is_named(monkeypatch, tmp_path):
    monkeypatch.setenv("MAXIM_PATH", str(tmp_path))
    assert find_sdk() is None
