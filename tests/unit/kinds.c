/* SPDX-License-Identifier: MIT
 * kinds.c - the table of kinds: complete, and true to what detectors of each kind do. */
#include "../support/test.h"

#include "detector/options.h"

static size_t kind_count(void)
{
    size_t count = 0;
    while (anomaly_kind_at(count))
        count++;
    return count;
}

static void test_known_kinds_are_there(void **state)
{
    (void)state;
    assert_true(kind_count() >= 3);
    assert_int_equal(anomaly_kind_at(0)->kind, ANOMALY_ZSCORE);
    assert_string_equal(anomaly_kind_at(0)->name, "zscore");
    assert_int_equal(anomaly_kind_at(1)->kind, ANOMALY_PERCENTILE);
    assert_string_equal(anomaly_kind_at(1)->name, "percentile");
    assert_int_equal(anomaly_kind_at(2)->kind, ANOMALY_IFOREST);
    assert_string_equal(anomaly_kind_at(2)->name, "iforest");
    assert_null(anomaly_kind_at(kind_count() + 1));
    assert_null(anomaly_kind_at(SIZE_MAX));
}

static void test_rows_differ_and_can_be_configured(void **state)
{
    (void)state;
    for (size_t i = 0; i < kind_count(); i++) {
        const anomaly_kind_info *info = anomaly_kind_at(i);
        anomaly_config c;
        assert_true(info->name[0] && info->help[0] && info->kind > 0 && info->kind < 32);
        assert_ok(anomaly_config_init(&c, sizeof c, info->kind));
        for (size_t k = 0; k < i; k++)
            assert_true(anomaly_kind_at(k)->kind != info->kind && strcmp(anomaly_kind_at(k)->name, info->name) != 0);
    }
}

static int is_in_table(int kind)
{
    size_t i = 0;
    while (i < kind_count() && anomaly_kind_at(i)->kind != kind)
        i++;
    return i < kind_count();
}

static void test_a_kind_that_is_not_in_the_table_is_refused(void **state)
{
    anomaly_config c;
    (void)state;
    for (int kind = -1; kind < 40; kind++)
        assert_int_equal(anomaly_config_init(&c, sizeof c, kind), is_in_table(kind) ? ANOMALY_OK : ANOMALY_E_KIND);
}

static void test_every_option_applies_to_a_kind_of_the_table(void **state)
{
    const anomaly_option *option;
    (void)state;
    for (size_t o = 0; (option = anomaly_option_at(o)) != NULL; o++) {
        uint32_t kinds = 0;
        for (size_t i = 0; i < kind_count(); i++)
            kinds |= option->kinds & 1u << anomaly_kind_at(i)->kind;
        assert_true(kinds != 0);
    }
}

/* ---- what is offered ---- */

static int offers(const anomaly_kind_info *info, uint32_t what)
{
    return (info->offers & what) != 0;
}

/* Of the options of a kind, those that offer most. */
static const char *options_of(const anomaly_kind_info *info)
{
    return info->kind == ANOMALY_ZSCORE ? "robust=1" : "";
}

/* With enough events that its window is warm. */
static anomaly_detector *taught(const anomaly_kind_info *info)
{
    anomaly_detector *detector = detector_of(info->kind, options_of(info));
    for (int i = 0; i < 300; i++)
        teach(detector, i * 7 % 31);
    return detector;
}

static void test_quantile_and_explain_are_offered_as_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < kind_count(); i++) {
        const anomaly_kind_info *info = anomaly_kind_at(i);
        anomaly_detector *detector = taught(info);
        double x = 3, value;
        assert_int_equal(anomaly_quantile(detector, 0, 0.5, &value),
                         offers(info, ANOMALY_OFFERS_QUANTILE) ? ANOMALY_OK : ANOMALY_E_KIND);
        assert_int_equal(anomaly_explain(detector, &x, &value),
                         offers(info, ANOMALY_OFFERS_EXPLAIN) ? ANOMALY_OK : ANOMALY_E_KIND);
        anomaly_destroy(detector);
    }
}

static void test_windows_of_time_are_offered_as_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < kind_count(); i++) {
        const anomaly_kind_info *info = anomaly_kind_at(i);
        anomaly_config c;
        anomaly_detector *detector = NULL;
        config_of(&c, info->kind, "");
        assert_ok(anomaly_config_set(&c, "window", "300s", NULL));
        assert_int_equal(anomaly_create(&c, NULL, &detector, NULL),
                         offers(info, ANOMALY_OFFERS_TIME) ? ANOMALY_OK : ANOMALY_E_CONFIG);
        anomaly_destroy(detector);
    }
}

static void test_whole_events_have_no_bounds(void **state)
{
    (void)state;
    for (size_t i = 0; i < kind_count(); i++) {
        const anomaly_kind_info *info = anomaly_kind_at(i);
        anomaly_detector *detector = taught(info);
        anomaly_verdict v = judge(detector, 3);
        assert_true(isfinite(v.score));
        assert_int_equal(isnan(v.expected) && isnan(v.lower) && isnan(v.upper), offers(info, ANOMALY_OFFERS_WHOLE));
        anomaly_destroy(detector);
    }
}

/* The score of an event after 300 were learned, and a rebuild or not. */
static double score_after(const anomaly_kind_info *info, int rebuilt)
{
    anomaly_detector *detector = taught(info);
    if (rebuilt)
        assert_ok(anomaly_rebuild(detector));
    double score = judge(detector, 3).score;
    anomaly_destroy(detector);
    return score;
}

static void test_rebuild_is_offered_as_said(void **state)
{
    (void)state;
    for (size_t i = 0; i < kind_count(); i++) {
        const anomaly_kind_info *info = anomaly_kind_at(i);
        assert_int_equal(score_after(info, 1) != score_after(info, 0), offers(info, ANOMALY_OFFERS_REBUILD));
    }
}

/* ---- snapshots: each member of anomaly_config has one place, but struct_size and simd, which have none ---- */

static size_t size_of_member(const an_member *m)
{
    return m->type == AN_U32 || m->type == AN_I32 ? 4 : 8;
}

static void test_every_member_is_saved_once(void **state)
{
    unsigned char owned[sizeof(anomaly_config)] = {0};
    an_member member[AN_MEMBERS] = {{AN_NO_MEMBER, 0}};
    (void)state;
    an_option_members(member);
    memset(owned, 1, sizeof((anomaly_config *)0)->struct_size);
    memset(owned + offsetof(anomaly_config, simd), 1, sizeof((anomaly_config *)0)->simd);
    for (size_t i = 0; i < AN_MEMBERS; i++) {
        assert_true(member[i].type != AN_NO_MEMBER);
        for (size_t k = 0; k < size_of_member(&member[i]); k++)
            assert_int_equal(owned[member[i].offset + k]++, 0);
    }
    for (size_t k = 0; k < offsetof(anomaly_config, seed) + sizeof(uint64_t); k++)
        if (!owned[k]) /* padding before a member of eight bytes */
            assert_true(k % 8 >= 4 && owned[k - 4] && (k % 8 > 4 || owned[k + 4]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_kinds_are_there),
        cmocka_unit_test(test_rows_differ_and_can_be_configured),
        cmocka_unit_test(test_a_kind_that_is_not_in_the_table_is_refused),
        cmocka_unit_test(test_every_option_applies_to_a_kind_of_the_table),
        cmocka_unit_test(test_quantile_and_explain_are_offered_as_said),
        cmocka_unit_test(test_windows_of_time_are_offered_as_said),
        cmocka_unit_test(test_whole_events_have_no_bounds),
        cmocka_unit_test(test_rebuild_is_offered_as_said),
        cmocka_unit_test(test_every_member_is_saved_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
