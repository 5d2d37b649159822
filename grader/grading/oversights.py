"""What an instructor may have overlooked: said after each run, with what to do about it."""

import re

from grader.course.notes import shown
from grader.grading.autograde import Options, beside, looked_for, origins
from grader.i18n import _
from grader.intake import deadlines, groups
from grader.intake.classroom import astray, closest, find_submissions, students
from grader.records import address
from grader.records.gradebook import Ledger

MOST_NAMED = 10


def sentences(options: Options) -> list:
    """All that there is to say."""
    told = [_misplaced_words(*pair) for pair in misplaced(options)]
    for find, words in (
        (unseen, _unseen_words),
        (strangers, _strangers_words),
        (strange_members, _members_words),
        (gone, _gone_words),
    ):
        if found := find(options):
            told.append(words(found, options))
    return told


def misplaced(options: Options) -> list:
    """(file, where it would be read) of tables that look like deadlines.csv or groups.csv and lie
    in the folder of submissions, or beside it under nearly that name, while the file itself isn't
    there."""
    whole = options.submitted.resolve()
    found = []
    for named, name in ((options.deadlines, deadlines.FILE), (options.groups, groups.FILE)):
        wanted = whole.parent / name
        if named is None and not wanted.is_file():
            near = re.compile(rf"{name.split('.')[0]}?( ?\(\d+\))?(\.\w+)+", re.IGNORECASE)
            places = [*_files(whole.parent), *_files(whole)]
            found += [(one, wanted) for one in places if near.fullmatch(one.name)]
    return found


def _files(folder):
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError:  # a folder that others may pass through alone
        return []


def unseen(options: Options) -> list:
    """Paths of what looks handed in and lies where no submission is looked for. A folder named like
    no lesson is refused by name where all lessons are graded."""
    course = options.course
    paths = astray(options.submitted, {*course.names(), *course.ungraded()})
    whole = options.submitted.resolve()
    return [one for one in paths if options.lessons or not (whole / one).is_dir()]


def strangers(options: Options) -> list:
    """Students to whom deadlines.csv gives a deadline of their own and who aren't here: neither as
    a folder nor in a group."""
    due = beside(options, deadlines.read_deadlines, options.deadlines, deadlines.FILE)
    together = beside(options, groups.read_groups, options.groups, groups.FILE)
    here = students(options.submitted) - set(together.of.values())
    here |= {student for student, _lesson in together.of}
    return due.strangers(here, options.lessons or options.course.names())


def strange_members(options: Options) -> dict:
    """Members of groups.csv who have no folder here -> who may be meant, or ""."""
    together = beside(options, groups.read_groups, options.groups, groups.FILE)
    here = students(options.submitted)
    return together.strangers(here, options.lessons or options.course.names())


def gone(options: Options) -> list:
    """(student, lesson) of those whose marks stand in the tables though their folder is gone, or
    is by now a group's."""
    course = options.course
    found = find_submissions(options.submitted, course.names(), options.lessons, course.ungraded())
    together = beside(options, groups.read_groups, options.groups, groups.FILE).names()
    folders = {(one.student, one.lesson) for one in found}
    own = {(student, lesson) for student, lesson in folders if student not in together}
    with Ledger(address.gradebook_of(options.out)) as ledger:
        records = [one for one in ledger.states() if looked_for(options, one)]
    return [
        (one.student, one.lesson)
        for one in records
        if not (origins(one) & folders if one.group else (one.student, one.lesson) in own)
    ]


def _misplaced_words(path, wanted):
    words = _(
        "{path} wasn't read: it belongs at {wanted}, or is named with --{option}. Until then "
        "nothing in it counts."
    )
    return words.format(path=path, wanted=wanted, option=wanted.stem)


def _unseen_words(paths, asked):
    words = _(
        "Not looked at in {folder}: {names}. A submission lies at {place}: if one of these is "
        "somebody's work, put it there and run the command again."
    )
    place = f"{asked.submitted}/{_('STUDENT')}/{_('LESSON')}/{_('LESSON')}.ipynb"
    return words.format(folder=asked.submitted, names=_first(list(map(shown, paths))), place=place)


def _strangers_words(names, asked):
    words = _(
        "The deadlines name {names}, but {folder} has no folder of that name, so these extensions "
        "count for nobody. Write each as its folder is called."
    )
    close = closest(names, students(asked.submitted))
    return words.format(names=_first(_meant(close)), folder=asked.submitted)


def _meant(found):
    """Names with who may be meant."""
    return [shown(who) + (f" ({shown(meant)}?)" if meant else "") for who, meant in found.items()]


def _members_words(found, asked):
    words = _(
        "The groups name {names}, but {folder} has no folder of that name. They get their group's "
        "marks all the same. Compare the names with your list: where one is misspelt, its owner "
        "gets none."
    )
    return words.format(names=_first(_meant(found)), folder=asked.submitted)


def _gone_words(pairs, asked):
    words = _(
        "{folder} no longer holds the work of {names}. Their marks stay in the tables. To take "
        "somebody out: python -m grader forget NAME --out {out}"
    )
    names = _first([f"{shown(student)} ({lesson})" for student, lesson in pairs])
    return words.format(folder=asked.submitted, names=names, out=asked.out)


def _first(names):
    more = [f"... ({len(names)})"] if len(names) > MOST_NAMED else []
    return ", ".join([*names[:MOST_NAMED], *more])
